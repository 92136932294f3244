"""A dashed line around a rounded rectangle, as plain points: Kivy itself dashes only hairlines."""

from __future__ import annotations

from itertools import pairwise
from math import cos, hypot, pi, sin

Point = tuple[float, float]
CORNER_STEPS = 6


def dashes(
    x: float, y: float, width: float, height: float, radius: float, dash: float, gap: float
) -> list[list[float]]:
    """Each dash as `[x0, y0, x1, y1, ...]`, all of one length; they close the outline evenly."""
    outline = _outline(x, y, width, height, max(0.0, min(radius, width / 2, height / 2)))
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(outline)]
    around = sum(lengths)
    if around <= 0:
        return []
    step = around / max(1, round(around / (dash + gap)))
    count = round(around / step)
    return [_cut(outline, lengths, n * step, n * step + dash) for n in range(count)]


def _outline(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    """The corners as short chords; the first point again at the end."""
    centres = (
        (x + width - radius, y + height - radius), (x + radius, y + height - radius),
        (x + radius, y + radius), (x + width - radius, y + radius),
    )  # fmt: skip
    points = [
        (cx + radius * cos(angle), cy + radius * sin(angle))
        for corner, (cx, cy) in enumerate(centres)
        for angle in ((corner + n / CORNER_STEPS) * pi / 2 for n in range(CORNER_STEPS + 1))
    ]
    return [*points, points[0]]


def _cut(outline: list[Point], lengths: list[float], begin: float, end: float) -> list[float]:
    """The part of the outline between two distances from its start, corners included."""
    found: list[float] = []
    walked = 0.0
    for (a, b), length in zip(pairwise(outline), lengths, strict=True):
        low, high = max(begin, walked), min(end, walked + length)
        if length and low < high:
            for at in (low, high) if not found else (high,):
                part = (at - walked) / length
                found += (a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part)
        walked += length
    return found
