"""The dashed slip around a folio: even dashes that follow the corners and stay on the slip."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.widgets.dashes import dashes

SIZES = st.floats(min_value=40, max_value=900, allow_nan=False)


def _length(points: list[float]) -> float:
    ends = list(zip(points[::2], points[1::2], strict=True))
    return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(ends))


@given(SIZES, SIZES, st.floats(min_value=0, max_value=60))
def test_every_dash_is_as_long_as_asked_and_on_the_slip(w: float, h: float, r: float) -> None:
    found = dashes(10, 20, w, h, r, 10, 6)

    assert all(_length(points) == pytest.approx(10, abs=0.01) for points in found)
    assert all(10 - 0.01 <= x <= 10 + w + 0.01 for points in found for x in points[::2])
    assert all(20 - 0.01 <= y <= 20 + h + 0.01 for points in found for y in points[1::2])


def test_the_dashes_close_the_outline_evenly() -> None:
    found = dashes(0, 0, 300, 60, 20, 10, 6)
    starts = [(points[0], points[1]) for points in found]
    gaps = {round(hypot(a[0] - b[0], a[1] - b[1])) for a, b in pairwise([*starts, starts[0]])}

    assert len(found) == 43
    assert max(gaps) - min(gaps) <= 2  # a chord across a corner is a little shorter


def test_nothing_is_drawn_around_nothing() -> None:
    assert dashes(0, 0, 0, 0, 20, 10, 6) == []
