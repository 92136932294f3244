"""Fonts and icons that travel with the kiosk; their licences are in LICENSES.txt."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
UNKNOWN_ICON = "circle-help"


@cache
def icon_codepoints() -> dict[str, int]:
    """Icon name (as Lucide spells it) to its code point in PlazaIcons.ttf."""
    table: dict[str, int] = json.loads((FOLDER / "icons.json").read_text(encoding="utf-8"))
    return table


def icon_character(name: str) -> str:
    """The character that draws an icon; a question mark in a circle for a name we do not carry."""
    table = icon_codepoints()
    return chr(table.get(name, table[UNKNOWN_ICON]))
