"""The kiosk's presenters over the real ledger and the real drivers with their simulators at the far end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardware.printer.driver import ReceiptPrinter
from hardware.printer.profiles import PROFILES
from hardware.printer.simulator import PrinterSimulator
from hardware.terminal.driver import EcrTerminal
from hardware.terminal.simulator import TerminalSimulator
from kiosk.catalogues import load_words
from kiosk.flow import Screen
from kiosk.presenters.views import CardPhase, PrintPhase
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk, World
from municipio.devices import DeviceState
from municipio.payments import PaymentState
from sync.ledger import SqliteLedger, open_ledger


@dataclass
class Rig:
    """One kiosk with a card (the ledger's file), a terminal and a printer on their own wires."""

    folder: Path
    far_terminal: TerminalSimulator
    far_printer: PrinterSimulator
    kiosk: SimulatedKiosk

    def plug_in(self) -> None:
        world: Any = self.kiosk.world
        ledger = open_ledger(self.folder / "ledger.sqlite", world.clock, "COA007", "30039")
        assert isinstance(ledger, SqliteLedger)
        world.ledger = ledger
        world.terminal = EcrTerminal(str(self.folder / "terminal"), 115200)
        world.printer = ReceiptPrinter(str(self.folder / "printer"), 115200, PROFILES["generic-80"])
        self.until(lambda: world.terminal.status().state is DeviceState.READY)
        self.until(lambda: world.printer.status().state is DeviceState.READY)
        self.kiosk.restart()

    def pull_out(self) -> None:
        world: Any = self.kiosk.world
        world.terminal.close()
        world.printer.close()
        world.ledger.close()

    def until(self, holds: Callable[[], bool], within_s: float = 10.0) -> None:
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.02)

    def tick_until(self, holds: Callable[[], bool], within_s: float = 10.0) -> None:
        def looked() -> bool:
            self.kiosk.tick(0.25)
            return holds()

        self.until(looked, within_s)

    def start_charge(self) -> None:
        self.kiosk.tap("home.predial")
        self.kiosk.type(CLAVE, "predial.key")
        self.kiosk.tap("predial.continue", "beneficio.no", "pay.card", "card.charge")
        assert self.kiosk.view.phase is CardPhase.AT_TERMINAL


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    far_terminal = TerminalSimulator(think_s=0.1)
    far_terminal.link(tmp_path / "terminal")
    far_terminal.open()
    far_printer = PrinterSimulator(tmp_path / "papers")
    far_printer.link(tmp_path / "printer")
    far_printer.open()
    kiosk = SimulatedKiosk(World(), words=load_words())
    built = Rig(tmp_path, far_terminal, far_printer, kiosk)
    built.plug_in()
    yield built
    built.pull_out()
    far_terminal.close()
    far_printer.close()


def receipt_texts(rig: Rig) -> list[str]:
    return [p.read_text(encoding="utf-8") for p in sorted((rig.folder / "papers").glob("*.txt"))]


def test_a_payment_ends_as_one_receipt_on_real_wires(rig: Rig) -> None:
    rig.start_charge()
    rig.tick_until(lambda: rig.kiosk.screen is Screen.IMPRIMIENDO)
    assert rig.kiosk.view.phase is PrintPhase.PRINTED
    [text] = receipt_texts(rig)
    assert "3,032.41" in text
    assert "COPIA" not in text
    world: Any = rig.kiosk.world
    [payment] = world.ledger.payments_for(CLAVE)
    assert payment.state is PaymentState.RECEIPTED
    assert world.ledger.folio(payment.folio).state == "pagado"


def test_unplugged_at_the_terminal_it_charges_once_and_offers_the_receipt(rig: Rig) -> None:
    rig.far_terminal.hold()
    rig.start_charge()
    rig.tick_until(lambda: bool(rig.far_terminal.charges()))
    rig.pull_out()
    rig.far_terminal.approve()
    rig.plug_in()
    rig.tick_until(lambda: rig.kiosk.view.offer is not None)
    rig.kiosk.tap("home.receipt")
    assert rig.kiosk.view.phase is PrintPhase.PRINTED
    assert len(rig.far_terminal.charges()) == 1
    assert len(receipt_texts(rig)) == 1


def test_without_paper_the_receipt_waits_and_then_comes_out_as_the_original(rig: Rig) -> None:
    rig.far_printer.paper_out()
    rig.start_charge()
    rig.tick_until(lambda: rig.kiosk.screen is Screen.IMPRIMIENDO)
    assert rig.kiosk.view.phase is PrintPhase.FAILED
    rig.far_printer.load_paper()
    world: Any = rig.kiosk.world
    rig.until(lambda: world.printer.status().state is DeviceState.READY)
    rig.kiosk.tap("print.retry")
    assert rig.kiosk.view.phase is PrintPhase.PRINTED
    assert "COPIA" not in receipt_texts(rig)[-1]
