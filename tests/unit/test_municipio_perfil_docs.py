"""The reference page names every key that a perfil may have."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def keys(value: Any) -> set[str]:
    """Every key of a TOML document but years and months."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return {k for k in value if not k[0].isdigit()} | set().union(*map(keys, value.values()))


def test_the_page_explains_every_key_of_the_example() -> None:
    example = tomllib.loads((REFERENCE / "ejemplos" / "perfil-demo.toml").read_text("utf-8"))
    page = (REFERENCE / "perfil-hacendario.md").read_text("utf-8")
    assert [key for key in sorted(keys(example)) if f"`{key}`" not in page
            and f"[{key}]" not in page and f".{key}]" not in page] == []  # fmt: skip
