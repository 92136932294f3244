"""What every cash bus must do: only stacked is money, each event is told until confirmed, silence is unknown.

On the simulator at the far end of a pty. With `-m hw` and PLAZA_CASH_PORT the same bus is asked for
real: contact, names and an idle gate (nobody is there to insert money).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardware.cash.driver import CcTalkCash
from hardware.cash.protocol import CashSetup
from hardware.cash.simulator import CashSimulator
from kiosk.simulated_cash import CashCorner
from kiosk.usecases.cash_progress import CashStarted
from kiosk.usecases.pay_by_cash import PayByCash
from municipio.devices import (
    CashDevice,
    CashEvent,
    CashEventKind,
    CashGate,
    CashPosition,
    CashUnit,
    DeviceState,
    PayoutState,
)
from municipio.payments import PaymentState
from sync.ledger import SqliteLedger, open_ledger

K = CashEventKind
COINS = frozenset({500, 1000})
NOTES = frozenset({5000})


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


@dataclass
class Rig:
    far: CashSimulator
    cash: CcTalkCash
    port: Path
    told: list[CashEvent] = field(default_factory=list)
    positions: dict[CashUnit, CashPosition] = field(default_factory=dict)

    def take(self) -> None:
        for event in self.cash.events():
            self.told.append(event)
            self.positions[event.unit] = event.position
            self.cash.confirm(event)

    def hears(self, kind: K, within_s: float = 8.0) -> CashEvent:
        def heard() -> bool:
            self.take()
            return any(e.kind is kind for e in self.told)

        until(heard, within_s)
        return next(e for e in self.told if e.kind is kind)

    def ready(self) -> None:
        def is_ready() -> bool:
            self.take()
            return self.cash.status().state is DeviceState.READY and is_closed(self.cash)

        until(is_ready)

    def open(self) -> None:
        self.cash.accept(COINS, NOTES)
        until(lambda: self.cash.gate() is CashGate.OPEN)
        time.sleep(0.4)

    def restart(self, pending: int = 0) -> None:
        self.cash.close()
        self.told.clear()
        self.cash = CcTalkCash(str(self.port), 9600, CashSetup(hopper_address=3))
        self.cash.resume(tuple(self.positions.values()), pending)


def is_closed(cash: CashDevice) -> bool:
    return cash.gate() is CashGate.CLOSED


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    far = CashSimulator()
    far.link(tmp_path / "cash")
    far.open()
    cash = CcTalkCash(str(tmp_path / "cash"), 9600, CashSetup(hopper_address=3))
    cash.resume(())
    built = Rig(far, cash, tmp_path / "cash")
    built.ready()
    yield built
    built.cash.close()
    far.close()


def test_idle_it_takes_nothing(rig: Rig) -> None:
    assert not rig.far.insert_coin(500)
    assert not rig.far.insert_note(5000)


def test_a_coin_and_a_stacked_note_are_money(rig: Rig) -> None:
    rig.open()
    assert rig.far.insert_coin(500)
    assert rig.hears(K.COIN_IN).amount_centavos == 500
    assert rig.far.insert_note(5000)
    assert rig.hears(K.NOTE_HELD).amount_centavos == 5000
    assert rig.far.state()["stacker"] == {}
    rig.cash.route(stack=True)
    assert rig.hears(K.NOTE_STACKED).amount_centavos == 5000
    assert rig.far.state()["inside_centavos"] == 5500


def test_an_event_is_told_until_it_is_confirmed(rig: Rig) -> None:
    rig.open()
    rig.far.insert_coin(500)
    until(lambda: bool(rig.cash.events()))
    first = rig.cash.events()
    rig.restart()
    until(lambda: bool(rig.cash.events()))
    assert rig.cash.events()[0] == first[0]


def test_a_restart_with_a_note_in_escrow_gives_it_back(rig: Rig) -> None:
    rig.open()
    rig.far.insert_note(5000)
    rig.hears(K.NOTE_HELD)
    rig.restart()
    until(lambda: rig.far.state()["returned"] == {5000: 1})


def test_power_returns_with_an_ordered_note_in_the_path(rig: Rig) -> None:
    rig.open()
    rig.far.insert_note(5000)
    rig.hears(K.NOTE_HELD)
    rig.cash.route(stack=True)
    time.sleep(0.2)
    rig.far.pull_plug()
    rig.restart(pending=5000)
    rig.far.restore("stack_unnamed")
    assert rig.hears(K.NOTE_STACKED, 15).amount_centavos == 5000


def test_the_hopper_pays_and_counts(rig: Rig) -> None:
    before = rig.cash.hopper_count()
    assert before is not None
    rig.cash.dispense(3)
    until(lambda: rig.cash.payout().state is PayoutState.IDLE)
    assert rig.cash.hopper_count() == before + 3
    assert rig.far.state()["hopper_paid"] == 3


def test_silence_and_a_pulled_cable_are_known_and_found_again(rig: Rig) -> None:
    rig.far.silence()
    until(lambda: rig.cash.status().state is DeviceState.UNKNOWN)
    assert rig.cash.status().cause == "no_answer"
    rig.far.speak()
    rig.ready()
    rig.far.unplug()
    until(lambda: rig.cash.status().state is DeviceState.ABSENT)
    rig.far.replug()
    rig.ready()


def test_calls_return_at_once_even_when_nothing_answers(rig: Rig) -> None:
    rig.far.silence()
    began = time.monotonic()
    rig.cash.accept(COINS, NOTES)
    rig.cash.route(stack=True)
    rig.cash.dispense(1)
    for _ in range(20):
        rig.cash.status()
        rig.cash.events()
        rig.cash.payout()
    assert time.monotonic() - began < 1.0


def test_a_payment_over_the_real_journal_survives_a_restart_between_coin_and_note(
    tmp_path: Path,
) -> None:
    """Real ledger file, real wire, virtual time; the program dies with a coin inside."""
    corner = CashCorner()

    def life() -> PayByCash:
        ledger = open_ledger(tmp_path / "ledger.sqlite", corner.clock, "COA007", "30039")
        assert isinstance(ledger, SqliteLedger)
        return PayByCash(
            ledger=ledger, device=corner.line, rules=corner.rules, limits=corner.limits,
            now=corner.clock.now, today=corner.clock.today, new_key=corner.new_id,
            blocking=lambda _: None,
        )  # fmt: skip

    corner.pay = life()
    corner.ready()
    started = corner.pay.start(corner.owed(5500), (), fresh=True)
    assert isinstance(started, CashStarted)
    corner.poll(started.payment.key, 1.0)
    corner.insert(500)
    corner.wait(1.0)
    corner.line.restart()
    corner.pay = life()
    [left] = corner.idle(4.0)
    assert (left.state, left.owed_centavos) == (PaymentState.REFUND_OWED, 500)
    assert corner.pay.tend() == ()


@pytest.mark.hw
def test_a_real_bus_has_names_and_an_idle_gate() -> None:
    port = os.environ.get("PLAZA_CASH_PORT")
    if not port:
        pytest.skip("PLAZA_CASH_PORT is not set")
    looks = CcTalkCash(port, 9600, CashSetup(), only_looks=True)
    try:
        until(lambda: looks.status().state is not DeviceState.STARTING)
        assert looks.status().state in (DeviceState.READY, DeviceState.ATTENTION)
    finally:
        looks.close()
