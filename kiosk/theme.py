"""The kiosk's look as values: colours, type scale and sizes. No Kivy here, so that rules are tested fast.

Text contrast is at least 7:1 (WCAG 2.2, 1.4.6). A touch target is at least 15 mm and stands at least
3 mm from its neighbour, computed from the real dots per inch of the screen.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kiosk.assets import FOLDER

MIN_TEXT_CONTRAST: Final = 7.0
MIN_TARGET_MM: Final = 15.0
MIN_GAP_MM: Final = 3.0
MM_PER_INCH: Final = 25.4
LOW_REACH: Final = 0.45
"""Share of a portrait screen's height, from below, that everybody reaches (also from a wheelchair)."""

DRAWN_WIDE: Final = 1280
DRAWN_TALL: Final = 1000
"""How wide the drawing is: a tall screen sets below each other what a wide one sets side by side."""
TALL_MM: Final = 140.0
"""The least reach of a tall screen: the bottom bar and seven rows of targets, as a form with keys needs."""

Rgba = tuple[float, float, float, float]

FONT_FILES: Final[dict[str, Path]] = {
    "regular": FOLDER / "AtkinsonHyperlegibleNext-Regular.ttf",
    "semibold": FOLDER / "AtkinsonHyperlegibleNext-SemiBold.ttf",
    "bold": FOLDER / "AtkinsonHyperlegibleNext-Bold.ttf",
    "figures": FOLDER / "PlazaFigures-Regular.ttf",
    "figures-bold": FOLDER / "PlazaFigures-Bold.ttf",
    "icons": FOLDER / "PlazaIcons.ttf",
}

FALLBACK_FILES: Final[dict[str, Path]] = {
    "regular": FOLDER / "NotoSans-Regular-Plaza.ttf",
    "semibold": FOLDER / "NotoSans-Bold-Plaza.ttf",
    "bold": FOLDER / "NotoSans-Bold-Plaza.ttf",
    "figures": FOLDER / "NotoSans-Regular-Plaza.ttf",
    "figures-bold": FOLDER / "NotoSans-Bold-Plaza.ttf",
}
"""For a text with a letter that ours lacks: the whole text changes, so that no word mixes two faces."""

TOKENS: Final[dict[str, str]] = {
    "ink": "#10243A",
    "muted": "#3D4F63",
    "paper": "#F6F4EF",
    "card": "#FFFFFF",
    "line": "#D9D4C8",
    "sea": "#0B4F8A",
    "sea-pale": "#E4EEF7",
    "leaf": "#0A5638",
    "leaf-pale": "#E2F2EA",
    "sun": "#6B4600",
    "sun-pale": "#FFF1D0",
    "clay": "#87200F",
    "clay-pale": "#FBE6E1",
    "plum": "#5B2C83",
    "plum-pale": "#EFE6F6",
    "shade": "#EAE6DC",
    "leaf-icon": "#0E6B4A",
    "sun-icon": "#8A5A00",
}
"""`leaf`, `sun` and `clay` are dark enough for text on their pale twins; the -icon ones only draw icons."""

ACCENTS: Final = ("sea", "leaf", "sun", "plum", "clay")

TEXT_PAIRS: Final[tuple[tuple[str, str], ...]] = (
    ("ink", "paper"), ("ink", "card"), ("ink", "shade"), ("muted", "paper"), ("muted", "card"),
    ("clay", "card"), ("clay", "paper"), ("ink", "primary-pale"), ("muted", "primary-pale"),
    ("primary", "card"), ("card", "primary"), ("card", "primary-press"),
    *((a, f"{a}-pale") for a in ACCENTS if a != "sea"), ("sea", "card"), ("card", "clay"),
    *(("ink", f"{a}-pale") for a in ACCENTS),
)  # fmt: skip
"""Every (text, ground) pair that a screen may use; a test holds each to MIN_TEXT_CONTRAST."""


class ThemeError(ValueError):
    """A colour in the settings that cannot be used; the message tells the technician why."""


def parse_hex(text: str) -> tuple[int, int, int]:
    """`#RRGGBB` to three bytes. Raises ThemeError."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ThemeError(f"«{text}» no es un color #RRGGBB")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def rgba(text: str, alpha: float = 1.0) -> Rgba:
    r, g, b = parse_hex(text)
    return r / 255, g / 255, b / 255, alpha


def luminance(text: str) -> float:
    """Relative luminance of sRGB, 0 black to 1 white (WCAG 2.2, definition)."""

    def linear(byte: int) -> float:
        c = byte / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(c) for c in parse_hex(text))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _hex(r: float, g: float, b: float) -> str:
    return "#" + "".join(f"{round(c * 255):02X}" for c in (r, g, b))


def mix(a: str, b: str, share: float) -> str:
    """A colour between `a` (share 0) and `b` (share 1)."""
    pairs = zip(parse_hex(a), parse_hex(b), strict=True)
    r, g, blue = ((x + (y - x) * share) / 255 for x, y in pairs)
    return _hex(r, g, blue)


def pale_twin(color: str) -> str:
    """A ground in the colour's hue, light enough for ink and muted text."""
    share = 0.89
    while contrast(TOKENS["muted"], mix(color, TOKENS["card"], share)) < MIN_TEXT_CONTRAST + 0.05:
        share += 0.01
    return mix(color, TOKENS["card"], share)


@dataclass(frozen=True, slots=True)
class Primary:
    """A city's colour as it may be used: itself, or darkened until white text on it reads well."""

    color: str
    message: str = ""


def usable_primary(wanted: str, ground: str = TOKENS["paper"]) -> Primary:
    """The city's colour with contrast >= 7:1 against cards and paper, keeping its hue.

    A colour that is too light is darkened and the message says so. Raises ThemeError when the text
    is not a colour, or when nothing but near black would do.
    """
    r, g, b = (c / 255 for c in parse_hex(wanted))
    hue, light, saturation = colorsys.rgb_to_hls(r, g, b)
    color = _hex(r, g, b)
    for _ in range(100):
        if contrast(color, ground) >= MIN_TEXT_CONTRAST:
            break
        light -= 0.01
        color = _hex(*colorsys.hls_to_rgb(hue, max(light, 0.0), saturation))
    if max(parse_hex(color)) < 0x30:
        raise ThemeError(f"«{wanted}» no deja leer texto: ni oscurecido conserva su tono")
    changed = color != _hex(r, g, b)
    note = f"«{wanted}» es muy claro para texto; se usa {color}" if changed else ""
    return Primary(color, note)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Sizes in dots, for one screen and one of the two text sizes.

    `unit` is how large one dot of the 1280 x 800 drawing is here. `type_sizes` is the complete and
    fixed set of text sizes: texture memory stays bounded.
    """

    width: int
    height: int
    dpi: int
    unit: float
    type_sizes: dict[str, int]
    target: int
    gap: int
    reach: int
    """How high above the lower edge something to press may stand, in dots."""
    tall: bool
    """A portrait screen on which the halves of a body stand one below the other."""

    def dots(self, drawn: float) -> int:
        """A length of the 1280 x 800 drawing in this screen's dots."""
        return max(1, round(drawn * self.unit))

    def millimetres(self, dots: float) -> float:
        return dots / self.dpi * MM_PER_INCH


_TYPE: Final = {
    "giant": 96,
    "display": 46,
    "title": 38,
    "heading": 28,
    "body": 24,
    "small": 21,
    "caption": 18,
}
_LARGE_TEXT: Final = 1.15


def make_metrics(width: int, height: int, dpi: int, *, large_text: bool = False) -> Metrics:
    """Sizes for a screen. On a portrait one everything to press stays within the lowest LOW_REACH."""
    reach = height if width >= height else int(height * LOW_REACH)
    tall = width < height and reach / dpi * MM_PER_INCH >= TALL_MM
    unit = min(width / (DRAWN_TALL if tall else DRAWN_WIDE), reach / 800)
    text = unit * (_LARGE_TEXT if large_text else 1.0)
    # A small screen keeps its text larger than proportion would: reading distance does not shrink.
    text = text + (1 - text) * 0.2 if text < 1 else text
    return Metrics(
        width,
        height,
        dpi,
        unit,
        {name: round(size * text) for name, size in _TYPE.items()},
        math.ceil(MIN_TARGET_MM / MM_PER_INCH * dpi),
        math.ceil(MIN_GAP_MM / MM_PER_INCH * dpi),
        reach,
        tall,
    )


@dataclass(frozen=True, slots=True)
class Theme:
    """One look: named colours and sizes. `messages` are for the technician's log."""

    colors: dict[str, str]
    metrics: Metrics
    messages: tuple[str, ...] = field(default=())

    def color(self, name: str) -> Rgba:
        return rgba(self.colors[name])


def make_theme(metrics: Metrics, primary: str = TOKENS["sea"]) -> Theme:
    """The theme with a city's primary colour; an unusable colour falls back to ours and says so."""
    try:
        chosen = usable_primary(primary)
    except ThemeError as e:
        chosen = Primary(TOKENS["sea"], str(e))
    colors = TOKENS | {
        "primary": chosen.color,
        "primary-pale": pale_twin(chosen.color),
        "primary-press": mix(chosen.color, "#000000", 0.25),
    }
    return Theme(colors, metrics, (chosen.message,) if chosen.message else ())
