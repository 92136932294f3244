"""The true time of an honest node's fact is inside its bound, whatever was heard of it and when."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from central.moments import (
    DRIFT_PPM,
    OLDEST_MS,
    RATE_PPM,
    RTC_ERROR_MS,
    SYNC_ERROR_MS,
    Bound,
    Clock,
    Happened,
    Stamp,
    as_moment,
    as_ms,
    bound,
    chain_bounds,
    is_much_better,
    learn,
    narrowed,
)
from municipio.clock import TimeQuality

DAY = 24 * 3600 * 1000
START = OLDEST_MS + 100 * DAY


@dataclass(frozen=True)
class Told:
    """A fact and the truth about it."""

    stamp: Stamp
    true_ms: int


def a_life(seed: int) -> list[Told]:
    """One chain of an honest node: boots one after the other, each with a clock of its own rate."""
    luck = random.Random(seed)
    true, told = START, []
    for number in range(luck.randint(1, 4)):
        true += luck.randint(0, 20 * DAY)
        began, rate, ran = true, luck.uniform(-RATE_PPM, RATE_PPM) / 1e6, 0
        synced_from = luck.choice((0, luck.randint(0, 3 * DAY), 10**15))
        has_battery = luck.random() < 0.3
        for _ in range(luck.randint(1, 8)):
            ran += luck.randint(0, 2 * DAY)
            true = began + int(ran * (1 + rate))
            quality = luck.choice((TimeQuality.FLOOR, TimeQuality.UNKNOWN))
            if ran >= synced_from:
                quality = TimeQuality.SYNCED
            elif has_battery:
                quality = TimeQuality.RTC
            time = a_reading(luck, quality, true, ran)
            received = true + luck.choice((1, 5_000, luck.randint(1, 40 * DAY)))
            check = a_check(luck, began, ran, rate) if luck.random() < 0.2 else None
            stamp = Stamp(f"boot-{number}", ran, quality, time, received, check)
            told.append(Told(stamp, true))
    return told


def a_check(luck: random.Random, began: int, ran: int, rate: float) -> tuple[int, int, int]:
    """The city was asked some time before the fact, and signed its time before it was heard."""
    heard = luck.randint(0, ran)
    asked = luck.randint(max(0, heard - 60_000), heard)
    return asked, heard, began + int(luck.randint(asked, heard) * (1 + rate))


def a_reading(luck: random.Random, quality: TimeQuality, true: int, ran: int) -> int | None:
    """What the node's clock says, wrong by as much as its quality allows."""
    if quality is TimeQuality.UNKNOWN:
        return None
    if quality is TimeQuality.FLOOR:
        return true - luck.choice((0, luck.randint(0, 500 * DAY)))
    error = RTC_ERROR_MS
    if quality is TimeQuality.SYNCED:
        error = SYNC_ERROR_MS + ran * DRIFT_PPM // 1_000_000
    return true + luck.randint(-error, error)


def learned(life: list[Told]) -> dict[str, Clock]:
    clocks: dict[str, Clock] = {}
    for fact in life:
        clocks[fact.stamp.boot] = learn(clocks.get(fact.stamp.boot, ()), [fact.stamp])
    return clocks


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**32))
def test_the_truth_is_inside_every_bound(seed: int) -> None:
    life = a_life(seed)
    clocks = chain_bounds([fact.stamp for fact in life], learned(life))
    for fact in life:
        found = bound(fact.stamp, clocks[fact.stamp.boot])
        assert found.earliest_ms <= fact.true_ms <= found.latest_ms
        assert abs(found.middle_ms - fact.true_ms) <= found.error_ms
        assert not found.doubted


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_is_known_in_whatever_order_the_lanes_came(seed: int) -> None:
    life = a_life(seed)
    shuffled = random.Random(seed).sample(life, len(life))

    assert learned(shuffled) == learned(life)
    assert learned([*shuffled, *life]) == learned(life)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_heard_later_never_widens_a_bound(seed: int) -> None:
    life = [fact for fact in a_life(seed) if fact.stamp.boot == "boot-0"]
    first = life[0].stamp
    clock: Clock = ()
    before = bound(first, clock)
    for fact in life:
        clock = learn(clock, [fact.stamp])
        after = narrowed(before, bound(first, clock))
        assert before.earliest_ms <= after.earliest_ms <= life[0].true_ms
        assert life[0].true_ms <= after.latest_ms <= before.latest_ms
        before = after


stamps = st.builds(
    Stamp,
    st.sampled_from(("a", "b")),
    st.integers(0, 10**15),
    st.sampled_from(TimeQuality),
    st.none() | st.integers(-(10**14), 10**14),
    st.integers(0, 10**14),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(stamps, min_size=1, max_size=8))
def test_a_liar_is_never_believed_over_the_citys_receipt(lies: list[Stamp]) -> None:
    clocks: dict[str, Clock] = {}
    for stamp in lies:
        clocks[stamp.boot] = learn(clocks.get(stamp.boot, ()), [stamp])
    clocks = chain_bounds(lies, clocks)
    for stamp in lies:
        found = bound(stamp, clocks[stamp.boot])
        assert OLDEST_MS <= found.earliest_ms <= found.latest_ms
        assert found.latest_ms <= max(OLDEST_MS, stamp.received_ms)


def a_stamp(ran: int, quality: TimeQuality, time: int | None, received: int) -> Stamp:
    return Stamp("boot", ran, quality, time, received)


def test_a_fact_without_a_time_gets_one_from_the_first_synced_fact_after_it() -> None:
    cold = a_stamp(60_000, TimeQuality.UNKNOWN, None, START + 30 * DAY)
    alone = bound(cold, learn((), [cold]))
    synced = a_stamp(3_660_000, TimeQuality.SYNCED, START, START + 5_000)
    found = bound(cold, learn((), [cold, synced]))

    assert alone == Bound(OLDEST_MS, START + 30 * DAY)
    assert abs(found.middle_ms - (START - 3_600_000)) < 2_000
    assert found.error_ms < 4_000


def test_the_citys_own_time_is_enough_for_a_node_without_a_clock() -> None:
    cold = a_stamp(60_000, TimeQuality.FLOOR, START - 90 * DAY, START + 30 * DAY)
    told = replace(cold, boot_ms=3_663_000, check=(3_660_000, 3_662_000, START))
    found = bound(cold, learn((), [cold, told]))

    assert found.earliest_ms <= START - 3_600_000 <= found.latest_ms
    assert found.error_ms < 3_500
    assert not found.doubted
    # A city time that is later than the receipt was never the city's.
    forged = replace(told, check=(3_660_000, 3_662_000, START + 60 * DAY))
    assert bound(cold, learn((), [cold, forged])).latest_ms <= START + 30 * DAY


def test_a_wrong_clock_is_doubted_and_the_receipt_stands() -> None:
    ahead = a_stamp(1_000, TimeQuality.SYNCED, START + DAY, START)
    found = bound(ahead, learn((), [ahead]))

    assert found == Bound(OLDEST_MS, START, doubted=True)
    assert not Happened(ahead, found).is_sure
    assert not bound(replace(ahead, time_ms=START - 10), ()).doubted


def test_a_sync_outweighs_the_battery_and_a_floor() -> None:
    battery = a_stamp(0, TimeQuality.RTC, START - 40 * DAY, START + DAY)
    synced = a_stamp(10_000, TimeQuality.SYNCED, START, START + DAY)
    clock = learn((), [battery, synced])

    assert bound(battery, clock).doubted
    assert abs(bound(battery, clock).middle_ms - (START - 10_000)) < 1_000
    assert not bound(synced, clock).doubted


def test_a_boot_between_two_known_ones_lies_between_them() -> None:
    first = Stamp("a", 5, TimeQuality.SYNCED, START, START + 9 * DAY)
    dark = Stamp("b", 5, TimeQuality.UNKNOWN, None, START + 9 * DAY)
    last = Stamp("c", 5, TimeQuality.SYNCED, START + 2 * DAY, START + 9 * DAY)
    line = [first, dark, last]
    clocks = chain_bounds(line, {s.boot: learn((), [s]) for s in line})
    found = bound(dark, clocks["b"])

    assert START - 1_001 <= found.earliest_ms <= found.latest_ms <= START + 2 * DAY + 1_001


def test_few_looks_are_worth_it() -> None:
    cold = a_stamp(1_000, TimeQuality.UNKNOWN, None, START + 30 * DAY)
    clock = learn((), [cold])
    nearly = learn(clock, [a_stamp(1_001, TimeQuality.UNKNOWN, None, START + 30 * DAY - 5)])
    synced = learn(clock, [a_stamp(2_000, TimeQuality.SYNCED, START, START + 30 * DAY)])

    assert is_much_better((), clock)
    assert not is_much_better(clock, nearly)
    assert is_much_better(clock, synced)


def test_milliseconds_and_moments_are_the_same() -> None:
    for ms in (0, START, START + 999, OLDEST_MS + 1):
        assert as_ms(as_moment(ms)) == ms
