"""The image says what it is; a host that no image made says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from plaza.image import ImageInfo, read_image

WHOLE = (
    '{"version": "1.4.0", "board": "pi", "commit": "c", "built": "2026-01-20T00:00:00Z", '
    '"packages_sha256": "a", "ledger_schema": 5, "later": 1}'
)


def test_an_image_says_its_version_and_its_ledgers_schema(tmp_path: Path) -> None:
    file = tmp_path / "image.json"
    file.write_text(WHOLE)
    assert read_image(file) == ImageInfo("1.4.0", "pi", "c", "2026-01-20T00:00:00Z", "a", 5)


@pytest.mark.parametrize("raw", [None, b"", b"[]", b"\xff", WHOLE.replace("5", '"5"').encode()])
def test_anything_else_is_a_host_without_slots(tmp_path: Path, raw: bytes | None) -> None:
    file = tmp_path / "image.json"
    if raw is not None:
        file.write_bytes(raw)
    assert read_image(file) is None
