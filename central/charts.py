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
_URGENT = ("silent", "troubled", "quarantined", "waiting")
"""Kinds whose names go first."""
LABEL_RISE = 15
"""How far above its dot a name stands."""
_DESK, _PHONE = (62, 18), (130, 36)
"""Room of a name in each size of letter, width and height; style sheet `.map text`."""


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    node: str
    kind: str
    title: str
    label: bool
    """Named where the name covers no other name and no other dot: names on names say nothing."""
    roomy: bool
    """There is room also for the larger letters of a telephone."""


@dataclass(frozen=True, slots=True)
class Map:
    dots: tuple[Dot, ...]
    scale_px: float
    scale_text: str
    radius: int
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
    places = [
        (MAP_WIDTH / 2 + (s.lon - lon) * shrink * px, MAP_HEIGHT / 2 - (s.lat - lat) * px)
        for s in spots
    ]
    few = len(spots) <= named
    urgent = sorted(range(len(spots)), key=lambda n: spots[n].kind not in _URGENT) if few else []
    near = _free_names(places, urgent, _DESK)
    far = _free_names(places, [n for n in urgent if n in near], _PHONE)
    dots = tuple(
        Dot(round(x, 1), round(y, 1), s.node, s.kind, s.title, n in near, n in far)
        for n, (s, (x, y)) in enumerate(zip(spots, places, strict=True))
    )
    metres = _round_down(120 / px * 111_320)
    text = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"
    return Map(dots, round(metres / 111_320 * px, 1), text, 9 if few else 5)


def _free_names(
    places: Sequence[tuple[float, float]], order: Sequence[int], room: tuple[int, int]
) -> set[int]:
    """Whose name can stand above its dot without touching a name before it or another dot."""
    wide, tall = room
    taken: list[tuple[float, float]] = []
    free = set()
    for n in order:
        x, y = places[n][0], places[n][1] - LABEL_RISE - tall / 2 + 4
        clear = all(abs(x - a) >= wide or abs(y - b) >= tall for a, b in taken) and all(
            abs(x - a) >= wide / 2 + 6 or abs(y - b) >= tall / 2 + 8
            for m, (a, b) in enumerate(places)
            if m != n
        )
        if clear:
            taken.append((x, y))
            free.add(n)
    return free


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
