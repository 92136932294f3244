"""The peripherals of the bus, through protocol and simulator in virtual time: each trouble, each end."""

from __future__ import annotations

import pytest

from hardware.cash.onlooker import Onlooker
from hardware.cash.protocol import CashSetup
from hardware.cash.sim_bus import SimBus
from hardware.cash.simulated_line import SimulatedLine
from municipio.devices import (
    CashEvent,
    CashEventKind,
    CashGate,
    CashPosition,
    CashUnit,
    DeviceState,
    PayoutState,
)

K, U = CashEventKind, CashUnit
COINS = frozenset({50, 100, 200, 500, 1000})
NOTES = frozenset({2000, 5000, 10000})


class Rig:
    """A line whose events are confirmed at once, as a journal does."""

    def __init__(self, **setup: bool) -> None:
        self.line = SimulatedLine(
            SimBus(), CashSetup(hopper_address=3, hopper_uses_key=bool(setup))
        )
        self.bus = self.line.bus
        self.told: list[CashEvent] = []
        self.positions: dict[U, CashPosition] = {}
        self.line.resume(())
        self.run(3)

    def run(self, seconds: float) -> list[CashEvent]:
        """What was told meanwhile, news without money left out."""
        before, end = len(self.told), self.line.now + seconds
        while self.line.now < end:
            self.line.run(0.1)
            for event in self.line.events():
                self.told.append(event)
                self.positions[event.unit] = event.position
                self.line.confirm(event)
        return [e for e in self.told[before:] if e.kind is not K.NOTED]

    def open(self) -> None:
        self.line.accept(COINS, NOTES)
        self.run(1)
        assert self.line.gate() is CashGate.OPEN

    def close(self) -> None:
        self.line.accept(frozenset(), frozenset())

    def restart(self, pending: int = 0) -> None:
        self.line.restart()
        self.line.resume(tuple(self.positions.values()), pending)

    def note(self, centavos: int) -> list[CashEvent]:
        assert self.bus.notes.insert(centavos, self.line.now)
        return self.run(1)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def kinds(events: list[CashEvent]) -> list[K]:
    return [e.kind for e in events]


def test_nothing_is_asked_before_the_journal_said_where_it_stands() -> None:
    line = SimulatedLine()
    line.run(5)
    assert line.events() == ()
    assert line.bus.coins._mask == 0


def test_the_first_counter_is_the_start_and_nothing_goes_in_while_idle(rig: Rig) -> None:
    assert [e.cause for e in rig.told] == ["baseline", "baseline"]
    assert rig.line.gate() is CashGate.CLOSED
    assert not rig.bus.coins.insert(500, rig.line.now)
    assert not rig.bus.notes.insert(5000, rig.line.now)


def test_only_the_asked_denominations_go_in(rig: Rig) -> None:
    rig.line.accept(frozenset({500}), frozenset({2000}))
    rig.run(1)
    assert not rig.bus.coins.insert(1000, rig.line.now)
    assert not rig.bus.notes.insert(5000, rig.line.now)
    assert rig.bus.coins.insert(500, rig.line.now)
    [coin] = rig.run(1)
    assert (coin.kind, coin.amount_centavos) == (K.COIN_IN, 500)


def test_three_hundred_coins_wrap_the_counter_and_each_is_told_once(rig: Rig) -> None:
    rig.open()
    told: list[CashEvent] = []
    for _ in range(300):
        rig.bus.coins.insert(100, rig.line.now)
        told += rig.run(0.4)
    assert len(told) == 300
    assert rig.bus.coins.box[100] == 300


def test_coins_that_fell_while_the_program_was_dead_are_told_by_its_next_life(rig: Rig) -> None:
    rig.open()
    for _ in range(4):
        rig.bus.coins.insert(500, rig.line.now)
        rig.bus.tick(rig.line.now + 1)
    rig.restart()
    assert kinds(rig.run(4)) == [K.COIN_IN] * 4


def test_more_than_the_ring_holds_is_counted_as_unread(rig: Rig) -> None:
    rig.open()
    for _ in range(7):
        rig.bus.coins.insert(500, rig.line.now)
    rig.bus.tick(rig.line.now + 1)
    rig.restart()
    told = rig.run(4)
    assert kinds(told) == [K.COIN_IN] * 5 + [K.LOST]
    assert told[-1].count == 2


def test_a_coin_counted_before_a_power_cut_and_never_read_is_not_forgotten(rig: Rig) -> None:
    rig.open()
    rig.bus.coins.insert(500, rig.line.now)
    rig.bus.tick(rig.line.now + 1)
    rig.bus.pull_plug()
    rig.line.run(1)
    rig.bus.restore(rig.line.now)
    [lost] = rig.run(5)
    assert (lost.kind, lost.count, lost.unit) == (K.LOST, 1, U.COINS)


def test_a_note_waits_in_escrow_and_is_money_only_once_stacked(rig: Rig) -> None:
    rig.open()
    assert kinds(rig.note(5000)) == [K.NOTE_HELD]
    assert rig.bus.inside_centavos == 0
    rig.line.route(stack=True)
    assert kinds(rig.run(2)) == [K.NOTE_STACKED]
    assert rig.bus.inside_centavos == 5000


def test_a_note_given_back_or_left_alone_returns(rig: Rig) -> None:
    rig.open()
    rig.note(5000)
    rig.line.route(stack=False)
    assert kinds(rig.run(2)) == [K.NOTE_RETURNED]
    rig.note(2000)
    assert kinds(rig.run(23)) == [K.NOTE_RETURNED]
    assert rig.bus.notes.back == {5000: 1, 2000: 1}


def test_a_note_that_is_read_as_the_gate_closes_goes_back(rig: Rig) -> None:
    rig.open()
    rig.bus.notes.insert(5000, rig.line.now)
    rig.close()
    rig.run(4)
    assert rig.bus.notes.back == {5000: 1}
    assert rig.line.gate() is CashGate.CLOSED


@pytest.mark.parametrize(
    ("power_up", "end", "amount"),
    [
        ("return", K.NOTE_RETURNED, 5000),
        ("stack", K.NOTE_STACKED, 5000),
        ("stack_unnamed", K.NOTE_STACKED, 5000),
        ("swallow", K.NOTE_STACKED, 5000),
        ("vanish", K.NOTE_IN_DOUBT, 5000),
        ("jam", K.NOTE_IN_DOUBT, 5000),
    ],
)
def test_a_power_cut_with_an_ordered_note_in_the_path_has_one_end(
    rig: Rig, power_up: str, end: K, amount: int
) -> None:
    rig.open()
    rig.note(5000)
    rig.line.route(stack=True)
    rig.line.run(0.15)
    rig.bus.pull_plug()
    rig.bus.notes.power_up = power_up
    rig.restart(pending=5000)
    rig.line.run(1)
    rig.bus.restore(rig.line.now)
    [told] = rig.run(20)
    assert (told.kind, told.amount_centavos) == (end, amount)
    assert (rig.bus.inside_centavos == 5000) == (end is K.NOTE_STACKED)


def test_without_an_order_an_unnamed_note_stays_unnamed(rig: Rig) -> None:
    rig.open()
    rig.note(5000)
    rig.bus.pull_plug()
    rig.bus.notes.power_up = "stack_unnamed"
    rig.restart()
    rig.bus.restore(rig.line.now)
    assert kinds(rig.run(6)) == [K.NOTE_UNNAMED]


@pytest.mark.parametrize(
    ("happen", "mend", "unit", "cause"),
    [
        (lambda b: b.coins.jam(), lambda b: b.coins.clear_jam(), U.COINS, "coin_jam"),
        (lambda b: b.notes.jam(), lambda b: b.notes.clear_jam(), U.NOTES, "note_jam"),
        (lambda b: b.notes.fill(), lambda b: b.notes.empty(), U.NOTES, "stacker_full"),
        (
            lambda b: b.notes.take_stacker(),
            lambda b: b.notes.put_stacker(),
            U.NOTES,
            "stacker_removed",
        ),
    ],
)
def test_a_trouble_closes_its_peripheral_alone_until_it_is_mended(
    rig: Rig, happen: object, mend: object, unit: U, cause: str
) -> None:
    assert callable(happen)
    assert callable(mend)
    rig.open()
    happen(rig.bus)
    rig.run(1.5)
    assert rig.line.unit_status(unit).cause == cause
    assert rig.line.status().state is DeviceState.READY, "the other one still works"
    assert rig.line.status().cause == cause
    assert rig.line.denominations(unit) == frozenset()
    mend(rig.bus)
    rig.run(5)
    assert rig.line.unit_status(unit).state is DeviceState.READY


def test_a_coin_on_a_string_is_no_money_and_rests_the_acceptor_half_a_minute(rig: Rig) -> None:
    rig.open()
    rig.bus.coins.string(17)
    assert rig.run(1) == []
    assert rig.line.unit_status(U.COINS).cause == "coin_fraud"
    assert not rig.bus.coins.insert(500, rig.line.now)
    rig.run(32)
    assert rig.bus.coins.insert(500, rig.line.now)


def test_silence_of_three_seconds_is_unknown_and_it_is_found_again(rig: Rig) -> None:
    rig.bus.is_silent = True
    rig.run(4.5)
    assert rig.line.status().state is DeviceState.UNKNOWN
    rig.bus.is_silent = False
    rig.run(4)
    assert rig.line.status().state is DeviceState.READY


@pytest.mark.parametrize("uses_key", [False, True])
def test_the_hopper_pays_what_is_asked_by_serial_number_or_key(uses_key: bool) -> None:
    rig = Rig(key=True) if uses_key else Rig()
    rig.bus.hopper.wants_key = uses_key
    before = rig.line.hopper_count()
    rig.line.dispense(12)
    assert rig.line.hopper_count() is None, "coins may be leaving"
    rig.run(4)
    assert (rig.bus.hopper.paid, rig.line.payout().state) == (12, PayoutState.IDLE)
    assert rig.line.hopper_count() == (before or 0) + 12


@pytest.mark.parametrize("kept", [0, 3])
def test_a_hopper_that_stops_says_how_many_it_paid(rig: Rig, kept: int) -> None:
    rig.bus.hopper.jams_after = kept
    rig.line.dispense(10)
    rig.run(5)
    assert (rig.line.payout().paid, rig.bus.hopper.paid) == (kept, kept)


def test_an_order_that_cannot_reach_the_hopper_never_will(rig: Rig) -> None:
    rig.bus.hopper.is_silent = True
    rig.run(3)
    rig.line.dispense(5)
    rig.run(5)
    assert rig.line.payout().state is PayoutState.NOT_SENT
    rig.bus.hopper.is_silent = False
    rig.run(10)
    assert rig.bus.hopper.paid == 0


def test_a_lost_acknowledgement_does_not_pay_twice(rig: Rig) -> None:
    def deaf(data: bytes, to_device: bool) -> bytes:
        return data if to_device else b""

    rig.line.dispense(5)
    while not rig.bus.hopper.orders:
        rig.line.fault = None
        rig.line.step()
    rig.line.fault = deaf
    rig.run(2)
    rig.line.fault = None
    rig.run(6)
    assert (rig.bus.hopper.orders, rig.bus.hopper.paid) == (1, 5)
    assert rig.line.payout().paid == 5


def test_looking_changes_nothing_that_a_journal_would_miss() -> None:
    bus = SimBus()
    bus.restore(0.0)
    looks, now = Onlooker(CashSetup(hopper_address=3)), 10.0
    for _ in range(200):
        heard = bus.feed(looks.tick(now), now)
        now += 0.02
        looks.feed(heard, now)
    assert looks.status(now).state is DeviceState.READY
    assert (bus.coins._mask, bus.notes._mask) == (0, 0)
    bus.coins.jam()
    for _ in range(100):
        heard = bus.feed(looks.tick(now), now)
        now += 0.02
        looks.feed(heard, now)
    assert looks.unit_status(U.COINS, now).cause == "coin_fault"


def test_whoever_only_looks_sees_a_stacker_that_is_full_or_taken_out() -> None:
    bus = SimBus()
    bus.restore(0.0)
    looks, now = Onlooker(CashSetup()), 10.0
    seen = []
    changes = (
        *(lambda: None, bus.notes.fill, lambda: bus.notes.string(), bus.notes.take_stacker),
        *(bus.notes.put_stacker, bus.notes.fill, bus.notes.empty),
    )
    for change in changes:
        change()
        for _ in range(150):
            heard = bus.feed(looks.tick(now), now)
            now += 0.02
            looks.feed(heard, now)
        seen.append(looks.status(now).cause)
    full, removed = "stacker_full", "stacker_removed"

    assert seen == ["", full, full, removed, "", full, ""]
