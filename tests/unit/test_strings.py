"""Every sentence a citizen reads exists in Spanish and in English."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_message_has_both_languages_and_the_compiled_catalogues_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests" / "strings.py")], capture_output=True, text=True
    )

    assert checked.stdout.strip() == "The catalogues are whole."
    assert checked.returncode == 0


def unseen(tree: ast.AST) -> Iterator[int]:
    """Lines that ask for a sentence inside an f-string, where Python 3.11 shows extraction no names."""
    for outer in ast.walk(tree):
        if not isinstance(outer, ast.JoinedStr):
            continue
        for call in ast.walk(outer):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                if name in ("_", "gettext", "ngettext", "N_"):
                    yield call.lineno


@pytest.mark.parametrize("package", ["municipio", "kiosk", "captive_portal", "plaza"])
def test_no_sentence_hides_from_the_catalogues_in_an_f_string(package: str) -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / package).rglob("*.py")
        for line in unseen(ast.parse(path.read_bytes()))
    ]

    assert hidden == []


def test_a_hidden_sentence_would_be_found() -> None:
    assert list(unseen(ast.parse("x = f\"{y} {_('Listo.')}\""))) == [1]
