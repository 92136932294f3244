"""A solar site in figures: panel, battery, sky and what every part of a node draws. Values only.

Sources. Board: Raspberry Pi documentation, "typical bare-board active current consumption" (4B 600 mA,
5 800 mA, Zero 2 W 350 mA at 5 V). Halted: 1.2 to 1.6 W as shipped, about 0.01 W with the EEPROM setting
POWER_OFF_ON_HALT=1 (J. Geerling, 2023). The rest are typical figures of makers' sheets (10 inch IPS panel,
outdoor access point, LTE stick, thermal printer and card terminal waiting): measure your own with a
wattmeter and give them with `--site`. Sun of southern Veracruz: about 4.5 to 5 kWh/m² a day (SENER, Atlas
de Zonas con Alto Potencial); `performance` takes off heat, dust, cables and controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from plaza.energy_plan import Wanted


@dataclass(frozen=True, slots=True)
class Loads:
    """Watts at 5 V of each part while it is on; `converter` is the efficiency from 12 V."""

    board: float = 3.0
    board_slow: float = 2.3
    boot: float = 4.5
    halted: float = 0.05
    screen_least: float = 1.0
    screen_full: float = 5.0
    radio: float = 2.5
    uplink: float = 1.5
    waiting_devices: float = 2.0
    """Printer, terminal, reader: without power when the USB ports are."""
    converter: float = 0.88


@dataclass(frozen=True, slots=True)
class Site:
    panel_wp: float = 200.0
    performance: float = 0.65
    battery_wh: float = 1200.0
    soc: float = 0.8
    loads: Loads = field(default_factory=Loads)


def drawn_w(wanted: Wanted | None, loads: Loads, *, booting: bool = False) -> float:
    """Watts at the battery for these switches; None: everything is on, as after a boot."""
    if booting:
        return loads.boot / loads.converter
    if wanted is None:
        wanted = ALL_ON
    five = loads.board_slow if wanted.slow_processor else loads.board
    if wanted.screen_percent:
        span = loads.screen_full - loads.screen_least
        five += loads.screen_least + span * wanted.screen_percent / 100
    five += loads.radio if wanted.radio else 0.0
    five += loads.uplink if wanted.antennas else 0.0
    five += loads.waiting_devices if wanted.usb else 0.0
    return five / loads.converter


def halted_w(loads: Loads) -> float:
    return loads.halted / loads.converter


ALL_ON = Wanted(
    kiosk=True,
    portal=True,
    radio=True,
    carrier=True,
    pull=True,
    screen_percent=100,
    antennas=True,
    usb=True,
    slow_processor=False,
)


def site_of(document: Mapping[str, Any]) -> Site:
    """A site from a TOML document: keys of `Site`, and a table `[loads]`. ValueError names a wrong key."""
    loads = _checked(Loads(), document.get("loads", {}), "loads.")
    site = {k: v for k, v in document.items() if k != "loads"}
    return replace(_checked(Site(), site, ""), loads=loads)


_T = TypeVar("_T", Site, Loads)


def _checked(base: _T, values: Mapping[str, Any], where: str) -> _T:
    known = {f.name for f in fields(base)} - {"loads"}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"«{where}{name}» is none of {', '.join(sorted(known))}")
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise ValueError(f"«{where}{name}» must be a number above 0, not {value!r}")
    return replace(base, **{k: float(v) for k, v in values.items()})  # type: ignore[arg-type]  # all float
