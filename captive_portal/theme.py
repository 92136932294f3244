"""The portal's colours: one style sheet, one replaceable primary, contrast checked (WCAG 2.2)."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

DEFAULT_PRIMARY = "#0B4F8A"
PAPER = "#F6F4EF"
MIN_CONTRAST = 7.0
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two `#RRGGBB` colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def primary_color(wanted: str) -> str:
    """The city's colour when text is legible with it on paper and white on it; else the default."""
    if _COLOR.fullmatch(wanted) and contrast(wanted, PAPER) >= MIN_CONTRAST:
        return wanted
    return DEFAULT_PRIMARY


def style_sheet(primary: str) -> bytes:
    """The whole style sheet with the city's primary colour in it."""
    source = resources.files("captive_portal").joinpath("static/portal.css").read_text("utf-8")
    return source.replace(DEFAULT_PRIMARY, primary).encode()


def style_version(sheet: bytes) -> str:
    """Eight hex digits that change when the sheet does, for its address."""
    return hashlib.sha256(sheet).hexdigest()[:8]
