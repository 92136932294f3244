"""A kiosk in reserve: nothing that takes money is begun, what was begun ends, and the person is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kiosk.flow import Screen
from kiosk.presenters.views import PayOutcome
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.vitals_wiring import Body
from municipio.devices import DeviceState
from municipio.energy import Band, EnergyNote
from municipio.settings import parse_settings
from sync.clock import SystemClock
from sync.database import LedgerDamaged
from sync.datadir import DataDir
from sync.energy_note import KEEP_MS, write_energy
from sync.ledger import open_ledger


@pytest.fixture
def kiosk() -> SimulatedKiosk:
    return SimulatedKiosk()


def see_debt(kiosk: SimulatedKiosk) -> None:
    kiosk.tap("home.predial")
    kiosk.type(CLAVE, "predial.key")
    kiosk.tap("predial.continue")
    if kiosk.screen is Screen.PREDIAL_BENEFICIO:
        kiosk.tap("beneficio.no")


def test_a_debt_is_shown_says_why_no_card_is_taken_and_offers_the_pase(
    kiosk: SimulatedKiosk,
) -> None:
    kiosk.world.is_saving = True
    see_debt(kiosk)
    card = next(w for w in kiosk.view.ways if w.id == "pay.card")
    assert not card.enabled
    assert "Poca energía" in card.detail
    assert any("vuelva cuando haya sol" in n.text for n in kiosk.view.notices)
    kiosk.tap("pay.pase", "pase.print")
    assert len(kiosk.world.printer.papers) == 1


def test_the_first_screen_says_so_before_anything_is_typed(kiosk: SimulatedKiosk) -> None:
    assert "pague" in kiosk.view.choices[1].detail
    kiosk.world.is_saving = True
    kiosk.tick(30)
    assert kiosk.view.choices[1].detail == "Consulte. Por ahora no se paga aquí"
    assert kiosk.view.wifi == ("", ""), "the network is on for a few hours only"
    kiosk.world.is_saving = False
    kiosk.tick(30)
    assert "pague" in kiosk.view.choices[1].detail


def test_the_last_press_asks_again_and_no_terminal_is_touched(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.card")
    kiosk.world.is_saving = True
    kiosk.tap("card.charge")
    assert kiosk.screen is Screen.PAGO_RESULTADO
    assert kiosk.view.outcome is PayOutcome.SAVING_ENERGY
    assert not kiosk.world.terminal.charges
    assert not kiosk.world.ledger.open_payments()


def test_a_payment_that_was_begun_is_finished_and_receipted(kiosk: SimulatedKiosk) -> None:
    see_debt(kiosk)
    kiosk.tap("pay.card", "card.charge")
    kiosk.world.is_saving = True
    kiosk.tick()
    kiosk.world.terminal.present()
    kiosk.tick()
    assert kiosk.screen is Screen.IMPRIMIENDO
    assert len(kiosk.world.printer.papers) == 1


def test_on_the_sun_the_kiosk_reads_the_controller_from_the_program_that_holds_it(
    tmp_path: Path,
) -> None:
    data = DataDir(tmp_path / "node")
    data.create()
    power = {"kind": "vedirect", "port": str(tmp_path / "nothing-is-here")}
    settings = parse_settings({"energy": {"kind": "solar"}, "power": power})
    clock = SystemClock()
    ledger = open_ledger(data.ledger, clock, "COA007", "30039")
    assert not isinstance(ledger, LedgerDamaged)
    body = Body(data, settings, clock, ledger)
    try:
        assert body.power_status().state is DeviceState.UNKNOWN
        now = clock.now()
        note = EnergyNote(
            band=Band.SAVE,
            why="charge",
            boot=now.boot,
            written_boot_ms=now.boot_ms,
            since_boot_ms=0,
            state="attention",
            cause="battery_low",
        )
        write_energy(data.energy_file, note)
        time.sleep(KEEP_MS / 1000)
        status = body.held()["power"]()
        assert (status.state, status.cause) == (DeviceState.ATTENTION, "battery_low")
    finally:
        body.close()
        ledger.close()
