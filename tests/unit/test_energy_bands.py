"""The band in force: it falls at once, rises slowly, never flaps, and silence is save."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.power.state import Cause, Confidence, PowerState, nothing_known
from municipio.energy import Band, is_below
from plaza.energy import DWELL_S, FALL_S, SILENT_HOLD_S, STEADY_S, Held, Sample, Why, begin, step


def charge(
    percent: int,
    millivolts: int = 12_600,
    cause: Cause | None = None,
    current_ma: int | None = None,
) -> Sample:
    figures = (percent, millivolts, current_ma, None, None, None, 0.0)
    return Sample(PowerState(*figures, Confidence.MEASURED), cause)


SILENT = Sample(nothing_known(60.0))


def settled(percent: int) -> Held:
    """The band of a node that has seen this charge since yesterday."""
    held = begin(-100_000.0)
    for minute in range(600):
        held = step(held, charge(percent), -90_000.0 + minute * 60)
    return held


@pytest.mark.parametrize(
    ("percent", "band"),
    [(90, Band.FULL), (60, Band.SAVE), (45, Band.SAVE), (30, Band.RESERVE), (10, Band.GUARD)],
)
def test_a_charge_has_its_band_and_a_line_is_passed_upwards_only_with_points_to_spare(
    percent: int, band: Band
) -> None:
    assert settled(percent).band is band


def test_a_node_that_starts_saves_and_takes_its_first_reading_at_once() -> None:
    held = begin(0.0)
    assert (held.band, held.why) == (Band.SAVE, Why.START)
    assert step(held, charge(80), 1.0).band is Band.FULL


def test_a_charge_below_the_line_is_believed_after_ten_seconds_not_after_one_reading() -> None:
    held = settled(70)
    held = step(held, charge(30), 0.0)
    assert held.band is Band.FULL
    assert step(held, charge(70), 5.0).falls_since is None
    assert step(held, charge(30), FALL_S).band is Band.RESERVE


@pytest.mark.parametrize("cause", [Cause.BATTERY_LOW, Cause.LOAD_OFF])
def test_a_controller_about_to_cut_is_believed_at_once(cause: Cause) -> None:
    assert step(settled(70), charge(40, cause=cause), 0.0).band is Band.GUARD


def test_a_battery_that_collapses_under_load_guards_before_the_cut_whatever_its_charge_says() -> (
    None
):
    held = step(settled(70), charge(55, millivolts=11_350), 0.0)
    assert (held.band, held.why) == (Band.GUARD, Why.LAST_VOLTAGE)
    assert step(settled(70), charge(70, 22_700), 0.0).band is Band.GUARD, "24 V are two of 12 V"
    assert step(settled(70), charge(70, 25_200), 0.0).band is Band.FULL


def test_guard_is_left_only_ten_points_above_its_line_and_one_band_at_a_time() -> None:
    held = settled(10)
    for minute in range(120):
        held = step(held, charge(24), minute * 60.0)
    assert held.band is Band.GUARD
    held = step(held, charge(80), 7200.0)
    held = step(held, charge(80), 7200.0 + STEADY_S)
    assert held.band is Band.RESERVE
    held = step(held, charge(80), 7201.0 + STEADY_S)
    held = step(held, charge(80), 7200.0 + STEADY_S + DWELL_S - 1)
    assert held.band is Band.RESERVE
    assert step(held, charge(80), 7200.0 + STEADY_S + DWELL_S).band is Band.SAVE


def test_guard_is_left_only_while_the_battery_takes_charge() -> None:
    held = settled(10)
    for minute in range(240):
        held = step(held, charge(60, current_ma=-300), minute * 60.0)
    assert held.band is Band.GUARD, "a tired battery at rest shows a fine voltage and no energy"
    for minute in range(240, 260):
        held = step(held, charge(60, current_ma=900), minute * 60.0)
    assert held.band is Band.RESERVE


def test_who_falls_back_into_guard_soon_waits_twice_as_long_and_no_more_than_four_times() -> None:
    held, now, waits = step(settled(70), charge(70, 11_000), 0.0), 0.0, []
    for _ in range(5):
        fell_at = now
        while held.band is Band.GUARD:
            now += 60.0
            held = step(held, charge(70, current_ma=900), now)
        waits.append(now - fell_at)
        now += 60.0
        held = step(held, charge(70, 11_000), now)
    assert waits == [DWELL_S, 2 * DWELL_S, 4 * DWELL_S, 4 * DWELL_S, 4 * DWELL_S]


def test_a_silent_controller_is_save_and_silence_never_lifts_a_guard_before_its_hours() -> None:
    held = settled(90)
    held = step(step(held, SILENT, 0.0), SILENT, FALL_S)
    assert (held.band, held.why) == (Band.SAVE, Why.SILENT)
    guard = step(settled(5), SILENT, 0.0)
    assert (guard.band, guard.why) == (Band.GUARD, Why.HELD)
    assert step(guard, SILENT, SILENT_HOLD_S - 1).band is Band.GUARD
    assert step(guard, SILENT, SILENT_HOLD_S).band is Band.SAVE


def test_a_failing_battery_starts_no_payment() -> None:
    held = settled(90)
    held = step(held, charge(90, cause=Cause.BATTERY_FAILING), 0.0)
    held = step(held, charge(90, cause=Cause.BATTERY_FAILING), FALL_S)
    assert (held.band, held.why) == (Band.RESERVE, Why.FAILING)


samples = st.one_of(
    st.integers(0, 100).map(charge),
    st.just(SILENT),
    st.tuples(st.integers(0, 100), st.integers(10_500, 13_000)).map(lambda c: charge(*c)),
    st.integers(0, 100).map(lambda p: charge(p, cause=Cause.BATTERY_FAILING)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(samples, st.floats(0.5, 900)), max_size=200))
def test_a_band_never_flaps_whatever_the_controller_says(
    said: list[tuple[Sample, float]],
) -> None:
    """Between two rises lies the dwell, and a rise is one band; so a day has at most 48 of them."""
    held, now, rose_at = begin(0.0), 0.0, -1e9
    for sample, pause in said:
        now += pause
        before, held = held, step(held, sample, now)
        if is_below(before.band, held.band):
            assert now - rose_at >= DWELL_S
            rose_at = now
            if held.why is not Why.SILENT:
                assert list(Band).index(before.band) - list(Band).index(held.band) == 1


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([60, 35, 15]), st.lists(st.integers(-1, 1), min_size=50, max_size=300))
def test_noise_of_a_point_around_a_line_changes_a_band_once_at_most(
    line: int, noise: list[int]
) -> None:
    held, changes = settled(line + 1), 0
    for n, wobble in enumerate(noise):
        before, held = held, step(held, charge(line + wobble), n * 60.0)
        changes += before.band is not held.band
    assert changes <= 1
