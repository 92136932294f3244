"""Cash over the real ledger file, the real driver and the simulated ccTalk bus at the far end of a pty."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardware.cash.driver import CcTalkCash, setup_from
from hardware.cash.simulator import CashSimulator
from kiosk.catalogues import load_words
from kiosk.flow import Screen
from kiosk.presenters.views import CashEnd, CashPhase, PrintPhase
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk, World
from municipio.cash import CashMovement, MovementKind
from municipio.devices import CashUnit, DeviceState
from municipio.payments import Payment, PaymentState
from municipio.settings import parse_settings
from sync.ledger import SqliteLedger, open_ledger

HOPPER_COINS = 150


@dataclass
class Rig:
    """One kiosk with a ledger's file and a cash bus on its own wire; the printer is in memory."""

    folder: Path
    far: CashSimulator
    kiosk: SimulatedKiosk

    def plug_in(self) -> None:
        world: Any = self.kiosk.world
        ledger = open_ledger(self.folder / "ledger.sqlite", world.clock, "COA007", "30039")
        assert isinstance(ledger, SqliteLedger)
        settings = self.kiosk.settings
        world.ledger = ledger
        world.cash = WithoutVirtualTime(
            CcTalkCash(settings.text("cash.port"), 9600, setup_from(settings))
        )
        self.kiosk.restart()

    def pull_out(self) -> None:
        world: Any = self.kiosk.world
        world.cash.device.close()
        world.ledger.close()

    def tick_until(self, holds: Callable[[], bool], within_s: float = 20.0) -> None:
        """The kiosk's clock and the real one go alike."""
        end, before = time.monotonic() + within_s, time.monotonic()
        while not holds():
            assert time.monotonic() < end, f"it never came to hold: {self.kiosk.view}"
            time.sleep(0.05)
            now = time.monotonic()
            passed, before = now - before, now
            self.kiosk.world.clock.boot_ms += int(passed * 1000)
            self.kiosk.tick(passed)

    def ready(self) -> None:
        world: Any = self.kiosk.world
        self.tick_until(lambda: world.cash.status().state is DeviceState.READY)

    def start(self) -> None:
        self.kiosk.tap("home.predial")
        self.kiosk.type(CLAVE, "predial.key")
        self.kiosk.tap("predial.continue", "beneficio.no", "pay.cash", "cash.start")
        assert self.kiosk.view.phase is CashPhase.INSERTING
        self.tick_until(lambda: self.kiosk.world.cash is not None and self.gate_is_open())

    def gate_is_open(self) -> bool:
        world: Any = self.kiosk.world
        return bool(world.cash.gate().value == "open")

    def put(self, centavos: int) -> None:
        """One piece, until it is counted on the screen."""
        insert = self.far.insert_coin if centavos < 2000 else self.far.insert_note
        before = self.payment_inside()
        self.tick_until(lambda: insert(centavos))
        self.tick_until(
            lambda: (
                self.kiosk.screen is not Screen.PAGO_EFECTIVO
                or self.kiosk.view.phase is not CashPhase.INSERTING
                or self.payment_inside() > before
            )
        )

    def payment_inside(self) -> int:
        return sum(
            m.amount_centavos * m.count
            for m in self.ledger.cash_movements(self.payment.key)
            if m.kind in {MovementKind.COIN_IN, MovementKind.NOTE_STACKED}
        )

    @property
    def ledger(self) -> SqliteLedger:
        ledger: Any = self.kiosk.world.ledger
        assert isinstance(ledger, SqliteLedger)
        return ledger

    @property
    def payment(self) -> Payment:
        [found] = self.ledger.payments_for(CLAVE)
        return found


class WithoutVirtualTime:
    """The real driver where the kiosk's world expects a line in virtual time: its own thread runs it."""

    def __init__(self, device: CcTalkCash) -> None:
        self.device = device

    def run(self, seconds: float) -> None:
        """Time passes by itself."""

    def restart(self) -> None:
        """The driver is built anew by whoever plugs it in."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.device, name)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    far = CashSimulator(hopper_coins=HOPPER_COINS)
    far.link(tmp_path / "cash")
    far.open()
    cash = {
        "enabled": True,
        "port": str(tmp_path / "cash"),
        "hopper_address": 3,
        "rounding": "peso",
    }
    kiosk = SimulatedKiosk(World(), settings=parse_settings({"cash": cash}), words=load_words())
    built = Rig(tmp_path, far, kiosk)
    built.plug_in()
    counted = CashMovement(
        "counted", "", MovementKind.HOPPER_SET, CashUnit.HOPPER, 100, HOPPER_COINS
    )
    assert built.ledger.save([counted]) is None
    built.ready()
    yield built
    built.pull_out()
    far.close()


def test_notes_and_coins_become_change_and_one_receipt(rig: Rig) -> None:
    rig.start()
    for piece in (50000, 50000, 50000, 50000, 50000, 50000, 1000, 5000):
        rig.put(piece)
    rig.tick_until(lambda: rig.kiosk.screen is Screen.IMPRIMIENDO)
    assert rig.kiosk.view.phase is PrintPhase.PRINTED
    assert rig.payment.state is PaymentState.RECEIPTED
    assert rig.payment.change_centavos == 2800
    state = rig.far.state()
    assert state["hopper_paid"] == 28
    assert state["inside_centavos"] == 306000
    assert rig.kiosk.world.printer.originals_of(rig.payment.folio) == 1


def test_a_cancelled_payment_comes_back_from_the_hopper(rig: Rig) -> None:
    rig.start()
    rig.put(1000)
    rig.kiosk.tap("cash.cancel")
    rig.tick_until(lambda: rig.kiosk.view.phase is CashPhase.END)
    assert rig.kiosk.view.end is CashEnd.CANCELLED
    assert rig.far.state()["hopper_paid"] == 10
    assert rig.payment.state is PaymentState.CANCELLED


def test_killed_with_money_inside_it_owes_it_on_a_paper_after_the_restart(rig: Rig) -> None:
    rig.start()
    rig.put(50000)
    rig.pull_out()
    rig.plug_in()
    rig.tick_until(lambda: rig.kiosk.view.offer is not None)
    assert rig.payment.state is PaymentState.REFUND_OWED
    assert rig.payment.owed_centavos == 50000
    rig.kiosk.tap("home.receipt")
    assert rig.kiosk.view.phase is PrintPhase.PRINTED
    [paper] = [p for p in rig.kiosk.world.printer.papers if "COMPROBANTE DE EFECTIVO" in p]
    assert rig.payment.folio in paper
    assert rig.far.state()["inside_centavos"] == 50000
