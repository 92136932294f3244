"""A corrected time and its error bound, from one exchange with the city per boot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from municipio.clock_anchor import DRIFT, Anchor, read_anchor, started_at, when

NOON = datetime(2026, 11, 21, 18, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000


def test_a_moment_before_the_answer_is_known_to_half_the_round_trip() -> None:
    anchor = Anchor("boot", NOON, 60_000, 61_000)
    found = when([anchor], "boot", 0)
    assert found is not None
    assert (
        found.earliest < NOON - timedelta(seconds=61) < NOON - timedelta(seconds=60) < found.latest
    )
    assert found.error_s == pytest.approx(0.5, abs=0.02)
    assert started_at([anchor], "boot") == found


@given(
    st.integers(0, 30 * DAY_MS), st.integers(0, 30 * DAY_MS), st.integers(0, 20_000),
    st.floats(0, 1), st.floats(-DRIFT / 2, DRIFT / 2),
)  # fmt: skip
def test_the_truth_is_always_between(
    event_ms: int, asked_ms: int, trip_ms: int, part: float, drift: float
) -> None:
    """Whenever the city read its clock within the exchange, and whichever way the counter drifts."""
    began = datetime(2026, 1, 1, tzinfo=UTC)

    def truth(boot_ms: float) -> datetime:
        return began + timedelta(milliseconds=boot_ms * (1 + drift))

    told = truth(asked_ms + part * trip_ms)
    found = when([Anchor("b", told, asked_ms, asked_ms + trip_ms)], "b", event_ms)
    assert found is not None
    slack = timedelta(milliseconds=1)
    assert found.earliest - slack <= truth(event_ms) <= found.latest + slack


def test_two_anchors_are_better_than_one_and_another_boot_says_nothing() -> None:
    wide, narrow = Anchor("b", NOON, 0, 60_000), Anchor("b", NOON, 29_000, 30_000)
    both = when([wide, narrow], "b", 30_000)
    assert both is not None
    assert both.error_s <= 0.6
    assert when([wide, narrow], "other", 30_000) is None


def test_anchors_that_contradict_each_other_leave_the_narrower_one() -> None:
    wide, narrow = Anchor("b", NOON, 0, 60_000), Anchor("b", NOON + timedelta(days=900), 0, 10)
    found = when([wide, narrow], "b", 0)
    assert found == when([narrow], "b", 0)


def test_what_is_written_is_read_back() -> None:
    anchor = Anchor("b", NOON, 5, 905)
    assert read_anchor("b", anchor.document()) == anchor


@pytest.mark.parametrize("data", [
    {}, {"city_time": "now", "asked_ms": "1", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": 1, "heard_ms": 2},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "9", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "-1", "heard_ms": "2"},
    {"city_time": "9999-11-21T18:00:00.000Z", "asked_ms": "1", "heard_ms": "2"},
    {"city_time": "2026-11-21T18:00:00.000Z", "asked_ms": "1", "heard_ms": "9" * 14},
])  # fmt: skip
def test_what_is_no_anchor_is_refused(data: dict[str, object]) -> None:
    assert read_anchor("b", data) is None
