"""New settings come into force when nobody is served, and go again when a program does not stay up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.simulators import MemoryLedger
from municipio.payments import Payment, PaymentMethod, PaymentState
from plaza.quiet import Busy, busy_with
from plaza.settle import LOOK_S, WATCH_S, Settled, Settling, Undone, affected
from plaza.unit_control import MemoryUnits
from sync.city_settings import CitySettings, read_city_settings, write_city_settings
from sync.kiosk_pulse import KioskPulse

KIOSK, PORTAL = "plaza-kiosk.service", "plaza-portal.service"
PULSE = KioskPulse(boot="b", boot_ms=1, flips=3, at_home=True, quiet_s=90)
PAYMENT = Payment("k", "f", "c", 1, PaymentMethod.CASH, PaymentState.COLLECTING, "l")


class House:
    def __init__(self, folder: Path, broken: tuple[str, ...] = ()) -> None:
        self.file, self.mark = folder / "city-settings.json", folder / "mark.json"
        self.units = MemoryUnits([KIOSK, PORTAL], broken)
        self.ledger = MemoryLedger()
        self.waits: list[float] = []
        self.busy_for = 0

    def busy(self) -> Busy | None:
        self.busy_for -= 1
        return Busy.PAYMENT if self.busy_for >= 0 else None

    def settle(self, **values: str) -> Settled | Undone:
        named = {name.replace("_", ".", 1): value for name, value in values.items()}
        write_city_settings(self.file, CitySettings({"t": str(named)}, dict(named)))
        settling = Settling(self.file, self.units, self.ledger, self.busy, self.waits.append)
        return settling.run(self.mark)


def test_only_the_programs_that_read_a_setting_start_anew() -> None:
    assert affected(["bank.bbva_name"]) == (KIOSK,)
    assert affected(["city.name", "portal.ssid"]) == (KIOSK, PORTAL, "plaza-wifi.service")
    assert affected(["update.ring"]) == ()
    assert "plaza-filter.service" in affected(["city.timezone"])


def test_nothing_starts_anew_while_somebody_pays(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.busy_for = 3
    assert house.settle(city_name="Coatza") == Settled((KIOSK, PORTAL))
    assert house.waits == [LOOK_S] * 3 + [WATCH_S]
    assert house.units.restarted == [(KIOSK, PORTAL)]
    assert house.settle(city_name="Coatza") == Settled(())
    assert len(house.units.restarted) == 1


def test_settings_with_which_a_program_dies_are_taken_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.settle(city_name="Coatza")
    house.units.broken.add(KIOSK)
    assert house.settle(city_name="Otra", city_treasury="T") == Undone((KIOSK,))
    assert read_city_settings(house.file).values == {"city.name": "Coatza"}
    assert [fact.data["state"] for fact in house.ledger.facts] == ["undone"]
    assert house.ledger.facts[0].data["keys"] == ["city.name", "city.treasury"]
    assert house.units.restarted[-1] == (KIOSK, PORTAL)


@pytest.mark.parametrize(
    ("payments", "pulse", "expected"),
    [
        ((), PULSE, None),
        ((), None, None),
        ((PAYMENT,), PULSE, Busy.PAYMENT),
        ((PAYMENT,), None, Busy.PAYMENT),
        ((replace(PAYMENT, state=PaymentState.UNKNOWN),), PULSE, None),
        ((replace(PAYMENT, state=PaymentState.TAKEN),), PULSE, None),
        ((), KioskPulse(boot="b", boot_ms=1, flips=3, at_home=False, quiet_s=90), Busy.PERSON),
        ((), KioskPulse(boot="b", boot_ms=1, flips=3, at_home=True, quiet_s=10), Busy.PERSON),
    ],
)
def test_who_is_being_served(
    payments: tuple[Payment, ...], pulse: KioskPulse | None, expected: Busy | None
) -> None:
    assert busy_with(payments, pulse) is expected
