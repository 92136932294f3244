"""Fonts and icons that travel with the kiosk; their licences are in LICENSES.txt."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
UNKNOWN_ICON = "circle-help"


@cache
def drawn_by_all() -> frozenset[str]:
    """Characters other than ASCII that every text font draws; any other one needs the fallback font."""
    table: dict[str, str] = json.loads((FOLDER / "coverage.json").read_text(encoding="utf-8"))
    return frozenset(table["beyond_ascii"])


def needs_fallback(text: str) -> bool:
    """Whether a letter of this text is missing in the text fonts (`ɨ`, the saltillo `ꞌ`)."""
    return not text.isascii() and not drawn_by_all().issuperset(c for c in text if c > "~")


@cache
def icon_codepoints() -> dict[str, int]:
    """Icon name (as Lucide spells it) to its code point in PlazaIcons.ttf."""
    table: dict[str, int] = json.loads((FOLDER / "icons.json").read_text(encoding="utf-8"))
    return table


def icon_character(name: str) -> str:
    """The character that draws an icon; a question mark in a circle for a name we do not carry."""
    table = icon_codepoints()
    return chr(table.get(name, table[UNKNOWN_ICON]))
