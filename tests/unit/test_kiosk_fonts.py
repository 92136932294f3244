"""Every character that a kiosk may have to show is in a font that travels with it."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from kiosk.assets import drawn_by_all, needs_fallback
from kiosk.theme import FALLBACK_FILES, FONT_FILES

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted([*ROOT.glob("kiosk/strings/**/*.po"), *ROOT.glob("municipio/strings/**/*.po")])
CONTENT = sorted(ROOT.glob("central/demo/**/*.toml"))
LANGUAGES = "Nuntajɨyiʼ Nuntajɨyiꞌ Náhuatl ā ē ī ō Ꞌ ñähñu ʉ ʔ ë̱"
"""Letters of the region's languages that the text font lacks, and of other languages of the country."""


@cache
def mapped(font: Path) -> set[str]:
    """Characters in a font's Unicode table (OpenType `cmap`, formats 4 and 12)."""
    data = font.read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    tables = (struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(count))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    (records,) = struct.unpack_from(">H", data, start + 2)
    found: set[str] = set()
    for i in range(records):
        (offset,) = struct.unpack_from(">I", data, start + 4 + 8 * i + 4)
        found |= set(_segments(data, start + offset))
    return found


def _segments(data: bytes, at: int) -> Iterator[str]:
    (kind,) = struct.unpack_from(">H", data, at)
    if kind == 4:
        (double,) = struct.unpack_from(">H", data, at + 6)
        ends = struct.unpack_from(f">{double // 2}H", data, at + 14)
        starts = struct.unpack_from(f">{double // 2}H", data, at + 16 + double)
        for first, last in zip(starts, ends, strict=True):
            yield from (chr(c) for c in range(first, min(last, 0xFFFE) + 1))
    elif kind == 12:
        (groups,) = struct.unpack_from(">I", data, at + 12)
        for i in range(groups):
            first, last = struct.unpack_from(">II", data, at + 16 + 12 * i)
            yield from (chr(c) for c in range(first, last + 1))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def missing(text: str, weight: str = "regular") -> set[str]:
    """Characters of a text that the font chosen for it does not draw."""
    files = FALLBACK_FILES if needs_fallback(text) else FONT_FILES
    return set(text) - mapped(files[weight]) - {"\n"}


@pytest.mark.parametrize("weight", sorted(FALLBACK_FILES))
def test_every_text_font_draws_what_the_table_says(weight: str) -> None:
    assert drawn_by_all() <= mapped(FONT_FILES[weight])
    assert {chr(c) for c in range(0x20, 0x7F)} <= mapped(FONT_FILES[weight])


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-3]}-{p.stem}")
def test_every_message_can_be_drawn(path: Path) -> None:
    with path.open("rb") as file:
        strings = [m.string for m in read_po(file) if m.id and isinstance(m.string, str)]

    assert set().union(*map(missing, strings)) == set()


def test_the_demo_content_can_be_drawn() -> None:
    documents = [tomllib.loads(path.read_text(encoding="utf-8")) for path in CONTENT]

    assert set().union(*(missing(t) for d in documents for t in texts(d))) == set()


@pytest.mark.parametrize("weight", sorted(FALLBACK_FILES))
def test_the_letters_of_the_regions_languages_have_a_font(weight: str) -> None:
    assert needs_fallback(LANGUAGES)
    assert missing(LANGUAGES, weight) == set()
