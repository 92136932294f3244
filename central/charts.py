"""Pictures without a library: a map of the nodes and bars, as the attributes that an SVG needs.

Pure: numbers in, numbers and words out; the templates write the elements. Colours are classes, since
the pages' policy lets no style in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MAP_WIDTH = 960
MAP_HEIGHT = 460
_MARGIN = 46
_SMALLEST_DEGREES = 0.01


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    node: str
    kind: str
    title: str
    label: bool
    """Only a few dots are named: names on names say nothing."""


@dataclass(frozen=True, slots=True)
class Map:
    dots: tuple[Dot, ...]
    scale_px: float
    scale_text: str
    width: int = MAP_WIDTH
    height: int = MAP_HEIGHT


@dataclass(frozen=True, slots=True)
class Spot:
    """A node to be drawn: degrees of latitude and longitude."""

    node: str
    lat: float
    lon: float
    kind: str
    title: str


def draw_map(spots: Sequence[Spot], named: int = 40) -> Map | None:
    """Places on a plane that is true around their middle (equirectangular); None without any."""
    if not spots:
        return None
    south, north = min(s.lat for s in spots), max(s.lat for s in spots)
    west, east = min(s.lon for s in spots), max(s.lon for s in spots)
    shrink = max(0.1, math.cos(math.radians((south + north) / 2)))
    wide = max(_SMALLEST_DEGREES, (east - west) * shrink)
    tall = max(_SMALLEST_DEGREES, north - south)
    px = min((MAP_WIDTH - 2 * _MARGIN - 60) / wide, (MAP_HEIGHT - 2 * _MARGIN) / tall)
    lat, lon = (south + north) / 2, (west + east) / 2
    label = len(spots) <= named
    dots = tuple(
        Dot(
            round(MAP_WIDTH / 2 + (s.lon - lon) * shrink * px, 1),
            round(MAP_HEIGHT / 2 - (s.lat - lat) * px, 1),
            s.node, s.kind, s.title, label,
        )
        for s in spots
    )  # fmt: skip
    metres = _round_down(120 / px * 111_320)
    text = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"
    return Map(dots, round(metres / 111_320 * px, 1), text)


def _round_down(metres: float) -> int:
    """1, 2 or 5 times a power of ten."""
    power = 10 ** max(0, math.floor(math.log10(max(metres, 1))))
    return int(next(step for step in (5, 2, 1) if step * power <= max(metres, 1)) * power)


@dataclass(frozen=True, slots=True)
class Bar:
    """`percent` is the bar's length of the longest one's; label and value are text beside it."""

    label: str
    value: str
    percent: float


def draw_bars(rows: Sequence[tuple[str, int, str]]) -> tuple[Bar, ...]:
    """Horizontal bars from (label, number, number in words)."""
    most = max((number for _, number, _ in rows), default=0) or 1
    return tuple(Bar(label, words, round(100 * number / most, 1)) for label, number, words in rows)
