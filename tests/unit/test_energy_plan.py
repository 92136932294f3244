"""What each band spends, the order of the switches, and when a node may halt."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.power.state import Confidence, PowerState, nothing_known
from municipio.energy import Band, EnergyNote, Wake, may_start_payments, may_update
from plaza.energy import Sample
from plaza.energy_mind import Known, Mind, Rules, stayed, think, wake_up
from plaza.energy_plan import (
    DUTY_EVERY_S,
    DUTY_ON_S,
    TABLE,
    Arm,
    Halt,
    Hours,
    Light,
    Radio,
    Service,
    Switch,
    changes,
    hours_of,
    radio_is_due,
    wanted_now,
)
from plaza.energy_wake import (
    ALARM_S,
    AWAKE_AT_LEAST_S,
    FLUSH_S,
    PATIENCE_S,
    Phase,
    Proof,
    Refusal,
    halting,
    may_halt,
    returned,
)
from plaza.quiet import Busy
from sync.protocol import SLOWER

ALWAYS = hours_of("")
NO_HOURS = Hours()
NOON = datetime(2026, 7, 6, 12, 0, tzinfo=UTC)
FULL = wanted_now(Band.FULL, NO_HOURS, NOON, 0)
RESTING = wanted_now(Band.GUARD, NO_HOURS, NOON, 0)
PROVEN = {wake: Proof(wake, 1, 1) for wake in Wake}


def test_the_table_never_gives_a_lower_band_more() -> None:
    rows = [TABLE[band] for band in Band]
    for more, less in itertools.pairwise(rows):
        assert more.screen_percent >= less.screen_percent
        for name in ("kiosk", "payments", "printing", "portal", "pull", "updates", "usb"):
            assert getattr(more, name) >= getattr(less, name)


def test_the_table_says_what_the_other_programs_ask() -> None:
    beats = {b: TABLE[b].heartbeat_factor for b in Band if b is not Band.GUARD}
    assert beats == {b: SLOWER[b] for b in beats}
    assert {b: TABLE[b].payments for b in Band} == {b: may_start_payments(b) for b in Band}
    assert {b: TABLE[b].updates for b in Band} == {b: may_update(b) for b in Band}


@pytest.mark.parametrize(
    ("rule", "hours", "hour", "on"),
    [
        (Radio.ALWAYS, "07:00-11:00", 3, True),
        (Radio.HOURS, "07:00-11:00; 16:00-21:00", 12, False),
        (Radio.HOURS, "07:00-11:00; 16:00-21:00", 17, True),
        (Radio.HOURS, "", 3, True),
        (Radio.SHORT, "", 12, False),
        (Radio.SHORT, "", 18, True),
        (Radio.SHORT, "12:00-13:00", 12, True),
        (Radio.OFF, "", 12, False),
    ],
)
def test_the_radio_keeps_its_hours(rule: Radio, hours: str, hour: int, on: bool) -> None:
    local = datetime(2026, 7, 6, hour, 30, tzinfo=UTC)
    assert radio_is_due(rule, hours_of(hours), local, 0) is on


def test_a_node_that_does_not_know_the_hour_gives_a_part_of_each_hour() -> None:
    assert radio_is_due(Radio.SHORT, ALWAYS, None, DUTY_ON_S - 1)
    assert not radio_is_due(Radio.SHORT, ALWAYS, None, DUTY_ON_S)
    assert radio_is_due(Radio.SHORT, ALWAYS, None, DUTY_EVERY_S)
    assert radio_is_due(Radio.HOURS, hours_of("07:00-08:00"), None, 0)


def test_the_screen_keeps_its_hours_only_while_the_battery_is_not_full() -> None:
    hours = Hours(kiosk=hours_of("06:00-22:00"))
    night = datetime(2026, 7, 6, 23, 30, tzinfo=UTC)
    for band, local, on in [
        (Band.FULL, night, True),
        (Band.SAVE, night, False),
        (Band.SAVE, NOON, True),
        (Band.SAVE, None, True),
        (Band.GUARD, NOON, False),
    ]:
        wanted = wanted_now(band, hours, local, 0)
        assert (wanted.kiosk, wanted.screen_percent > 0) == (on, on)


def test_people_are_let_out_before_the_lights_go_and_the_carrier_stops_last() -> None:
    off = changes(FULL, RESTING)
    assert [a.service for a in off if isinstance(a, Switch)] == [
        Service.RADIO,
        Service.PORTAL,
        Service.KIOSK,
        Service.PULL,
        Service.CARRIER,
    ]
    assert Light(0) in off
    on = changes(RESTING, FULL)
    assert next(a.service for a in on if isinstance(a, Switch)) is Service.CARRIER
    assert on.index(Light(100)) < on.index(Switch(Service.KIOSK, on=True))
    assert changes(FULL, FULL) == ()


def test_a_program_that_knows_nothing_presses_every_switch_once() -> None:
    pressed = changes(None, FULL)
    assert {a.service for a in pressed if isinstance(a, Switch)} == set(Service)


# --- guard ---------------------------------------------------------------------------------------

EMPTY = Sample(PowerState(8, 11_800, None, 0, None, None, 0.0, Confidence.MEASURED))
SUN = Sample(PowerState(70, 13_000, None, None, None, None, 0.0, Confidence.MEASURED))


def go_through(
    rules: Rules, said: list[tuple[float, Sample]], *, busy: Busy | None = None, waiting: int = 0
) -> tuple[Mind, list[object]]:
    mind, done = Mind(wake_up(0.0, None, "b").held, wanted=FULL), []
    for now, sample in said:
        known = Known(sample, now, NOON, busy=busy, waiting=waiting, link_up=True)
        mind, actions = think(mind, known, rules)
        done += actions
    return mind, done


NIGHT = [(now, EMPTY) for now in (0.0, 20.0, 30.0, 40.0, 250.0, 400.0, 500.0, 3700.0)]


def test_guard_waits_for_the_queue_with_only_its_carrier_on_and_then_rests() -> None:
    mind, done = go_through(Rules(), NIGHT[:4], waiting=3)
    assert mind.watch.phase is Phase.LETTING_GO
    assert mind.wanted is not None
    assert mind.wanted.carrier
    assert not mind.wanted.kiosk
    assert Switch(Service.CARRIER, on=False) not in done
    mind, done = go_through(Rules(), [*NIGHT[:4], (20.0 + FLUSH_S, EMPTY)], waiting=3)
    assert mind.watch.phase is Phase.RESTING


@pytest.mark.parametrize("busy", list(Busy))
def test_who_is_being_served_finishes_before_the_screen_goes_dark(busy: Busy) -> None:
    mind, done = go_through(Rules(), NIGHT[:4], busy=busy)
    assert mind.wanted is not None
    assert mind.wanted.kiosk
    assert mind.wanted.screen_percent == 40, "as it was"
    assert Switch(Service.RADIO, on=False) in done
    late = 20.0 + PATIENCE_S[busy]
    mind, done = go_through(Rules(), [*NIGHT[:4], (late, EMPTY)], busy=busy)
    assert mind.wanted is not None
    assert not mind.wanted.kiosk, "but not for ever"


def test_nobody_is_waited_for_when_the_cut_is_near() -> None:
    power = PowerState(40, 11_300, None, 0, None, None, 0.0, Confidence.MEASURED)
    mind, _ = go_through(Rules(), [(0.0, EMPTY), (1.0, Sample(power))], busy=Busy.PERSON)
    assert mind.wanted is not None
    assert not mind.wanted.kiosk


def test_closing_time_waits_for_the_person_at_the_screen() -> None:
    rules = Rules(hours=Hours(kiosk=hours_of("06:00-22:00")))
    half = Sample(PowerState(45, 12_300, None, 0, None, None, 0.0, Confidence.MEASURED))
    mind = Mind(wake_up(0.0, None, "b").held, wanted=FULL)
    night = datetime(2026, 7, 6, 22, 1, tzinfo=UTC)
    for now, busy, lit in [
        (0.0, Busy.PERSON, True),
        (170.0, Busy.PERSON, True),
        (175.0, None, False),
        (300.0, Busy.PERSON, False),
    ]:
        mind, _ = think(mind, Known(half, now, night, busy=busy), rules)
        assert mind.wanted is not None
        assert mind.wanted.kiosk is lit


@pytest.mark.parametrize(
    ("wake", "proof", "why"),
    [
        (Wake.NONE, Proof(), Refusal.NO_PATH),
        (Wake.CONTROLLER_VOLTAGE, PROVEN[Wake.CONTROLLER_VOLTAGE], Refusal.NEEDS_THE_CUT),
        (Wake.RTC_ALARM, Proof(), Refusal.NOT_PROVEN),
        (Wake.RTC_ALARM, PROVEN[Wake.EXTERNAL_TIMER], Refusal.NOT_PROVEN),
        (Wake.RTC_ALARM, PROVEN[Wake.RTC_ALARM], None),
        (Wake.CONTROLLER_TIMER, PROVEN[Wake.CONTROLLER_TIMER], None),
        (Wake.EXTERNAL_TIMER, PROVEN[Wake.EXTERNAL_TIMER], None),
    ],
)
def test_a_node_halts_only_by_a_path_that_brought_it_back_before(
    wake: Wake, proof: Proof, why: Refusal | None
) -> None:
    assert may_halt(wake, proof) is why
    mind, done = go_through(Rules(wake, proof=proof), NIGHT)
    assert any(isinstance(a, Halt) for a in done) is (why is None)
    assert mind.watch.phase is (Phase.RESTING if why else Phase.HALTING)
    if why is None and wake is Wake.RTC_ALARM:
        assert done[-2:] == [Arm(ALARM_S), Halt()]


def test_a_node_stays_awake_some_minutes_so_that_a_technician_can_stop_it() -> None:
    for wake, least_s in [(Wake.RTC_ALARM, AWAKE_AT_LEAST_S), (Wake.EXTERNAL_TIMER, 3600.0)]:
        rules = Rules(wake, proof=PROVEN[wake])
        _, done = go_through(rules, [n for n in NIGHT if n[0] < least_s])
        assert not any(isinstance(a, Halt) for a in done)


def test_a_node_that_a_timer_wakes_once_a_day_waits_for_the_sun_awake() -> None:
    """Halted in the morning, it would miss the whole day."""
    rules = Rules(Wake.EXTERNAL_TIMER, proof=PROVEN[Wake.EXTERNAL_TIMER])
    for solar_w in (3, None):
        power = PowerState(8, 11_800, None, solar_w, None, None, 0.0, Confidence.MEASURED)
        dawn = Sample(power)
        mind, done = go_through(rules, [(now, dawn) for now, _ in NIGHT])
        assert not any(isinstance(a, Halt) for a in done)
        assert mind.watch.refused is Refusal.BY_DAY


def test_a_node_whose_alarm_was_not_there_stays_awake_and_serves_when_the_sun_is_back() -> None:
    rules = Rules(Wake.RTC_ALARM, proof=PROVEN[Wake.RTC_ALARM])
    mind, _ = go_through(rules, NIGHT)
    mind = stayed(mind, 3700.0)
    for now in (4000.0, 10_000.0):
        mind, actions = think(mind, Known(EMPTY, now, NOON), rules)
        assert not any(isinstance(a, Halt) for a in actions)
    for now in range(10_001, 30_000, 60):
        mind, _ = think(mind, Known(SUN, float(now), NOON), rules)
    assert mind.held.band is Band.FULL
    assert mind.watch.phase is Phase.SERVING


def test_a_return_is_another_boot_after_a_halt() -> None:
    asked = halting(Proof(), Wake.RTC_ALARM, "b1")
    assert returned(asked, "b1") == asked
    assert returned(asked, "b2") == Proof(Wake.RTC_ALARM, 1, 1)
    assert returned(returned(asked, "b2"), "b3") == Proof(Wake.RTC_ALARM, 1, 1)
    assert halting(Proof(Wake.RTC_ALARM, 4, 4), Wake.EXTERNAL_TIMER, "b") == Proof(
        Wake.EXTERNAL_TIMER, 1, 0, "b"
    )


def test_a_program_that_died_goes_on_in_the_band_it_was_in() -> None:
    note = EnergyNote(
        band=Band.GUARD, why="charge", boot="b1", written_boot_ms=9000, since_boot_ms=5000
    )
    assert wake_up(10.0, note, "b1").held.band is Band.GUARD
    assert wake_up(10.0, note, "b2").held.band is Band.SAVE


said = st.one_of(
    st.just(Sample(nothing_known(60.0))),
    st.tuples(st.integers(0, 100), st.integers(10_500, 13_500)).map(
        lambda c: Sample(PowerState(c[0], c[1], None, None, None, None, 0.0, Confidence.ESTIMATED))
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(Wake)),
    st.builds(Proof, st.sampled_from(list(Wake)), st.just(3), st.integers(0, 1)),
    st.lists(st.tuples(said, st.floats(0.5, 4000), st.booleans(), st.integers(0, 5)), max_size=120),
)
def test_no_story_of_sun_silence_and_people_halts_a_node_that_would_not_wake(
    wake: Wake, proof: Proof, story: list[tuple[Sample, float, bool, int]]
) -> None:
    mind, now = wake_up(0.0, None, "b"), 0.0
    for sample, pause, paying, waiting in story:
        busy = Busy.PAYMENT if paying else None
        now += pause
        known = Known(sample, now, None, busy=busy, waiting=waiting, link_up=True)
        mind, actions = think(mind, known, Rules(wake, proof=proof))
        for n, action in enumerate(actions):
            if isinstance(action, Halt):
                assert wake in {Wake.RTC_ALARM, Wake.CONTROLLER_TIMER, Wake.EXTERNAL_TIMER}
                assert proof.wake is wake
                assert proof.returns > 0
                assert mind.held.band is Band.GUARD
                assert now >= AWAKE_AT_LEAST_S
                assert wake is not Wake.RTC_ALARM or isinstance(actions[n - 1], Arm)
