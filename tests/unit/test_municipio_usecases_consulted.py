"""What people look up is told as totals of five or more, once each, and never about anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactType, Lane, lane_of
from municipio.usecases.consulted import HOUR_MS, MAX_IDS, ConsultTally

START = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)


def at(minutes: int, quality: TimeQuality = TimeQuality.SYNCED) -> Instant:
    return Instant(START + timedelta(minutes=minutes), quality, "boot", minutes * 60_000)


def test_an_hour_is_told_when_it_is_over_and_small_counts_wait() -> None:
    tally = ConsultTally("kiosco", at(0))
    for name, times in (("licencia", 6), ("acta", 4)):
        for _ in range(times):
            tally.opened(name)
    assert tally.close(at(50)) is None
    draft = tally.close(at(55))
    assert draft is not None
    assert (draft.type, lane_of(draft.type)) == (FactType.TRAMITE_CONSULTED, Lane.VIT)
    assert draft.data == {
        "since": "2026-11-21T18", "hour": "2026-11-21T18", "channel": "kiosco",
        "consulted": {"licencia": 6},
    }  # fmt: skip
    assert tally.close(at(115)) is None, "nothing new reached five"
    tally.opened("acta")
    later = tally.close(at(180))
    assert later is not None
    assert later.data["consulted"] == {"acta": 5}
    assert later.data["since"] == "2026-11-21T18", "it says over how long it was counted"


def test_without_a_clock_an_hour_is_counted_by_the_boot_and_not_named() -> None:
    tally = ConsultTally("portal", at(0, TimeQuality.FLOOR))
    for _ in range(5):
        tally.opened("acta")
    assert tally.close(at(59, TimeQuality.FLOOR)) is None
    draft = tally.close(Instant(None, TimeQuality.UNKNOWN, "boot", HOUR_MS))
    assert draft is not None
    assert (draft.data["since"], draft.data["hour"]) == ("", "")


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=20), max_size=8))
def test_nothing_under_five_is_told_and_nothing_is_told_twice(hours: list[list[str]]) -> None:
    tally, told = ConsultTally("kiosco", at(0)), dict.fromkeys("abc", 0)
    for number, opened in enumerate(hours, start=1):
        for name in opened:
            tally.opened(name)
        draft = tally.close(at(60 * number))
        for name, count in (draft.data["consulted"] if draft else {}).items():
            assert count >= 5
            told[name] += count
    for name, total in told.items():
        really = sum(opened.count(name) for opened in hours)
        assert really - 4 <= total <= really


def test_memory_is_bounded() -> None:
    tally = ConsultTally("portal", at(0))
    for number in range(3 * MAX_IDS):
        for _ in range(5):
            tally.opened(f"t{number}")
    draft = tally.close(at(0), at_once=True)
    assert draft is not None
    assert len(draft.data["consulted"]) == MAX_IDS
