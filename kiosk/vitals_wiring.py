"""The kiosk's devices and the charge controller, opened once for whoever looks, and the facts about them.

The node's own body is told of by the queue's carrier, which also nodes without a screen have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kiosk.vitals import Vitals
from municipio.clock import Clock
from municipio.devices import DeviceState, DeviceStatus
from municipio.energy import Supply
from municipio.settings import Settings
from municipio.usecases.ports import Ledger
from sync.datadir import DataDir
from sync.energy_note import FileBand, told_status

if TYPE_CHECKING:
    from hardware.power.driver import PowerDriver

RENDERER_NAME = "gl_renderer"
_COMES_AND_GOES = frozenset({"card", "audio"})
"""Devices whose word while all is well is a card or headphones that somebody put in: nobody's news."""


class Body:
    """`start` after the first screen is drawn; before it every state is STARTING."""

    def __init__(self, data: DataDir, settings: Settings, clock: Clock, ledger: Ledger) -> None:
        self._data, self._settings = data, settings
        self._ledger = ledger
        self._power: PowerDriver | None = None
        self._vitals: Vitals | None = None
        self._has_power = settings.text("power.kind") != "none" and bool(
            settings.text("power.port")
        )
        # On a solar node the energy program holds the controller and tells what it says (energy.json).
        self._told = FileBand(data, settings, clock) if _is_solar(settings) else None

    def held(self) -> dict[str, Callable[[], DeviceStatus]]:
        """The charge controller's port is exclusive: a technician looks at it through this one."""
        return {"power": self.power_status} if self._has_power else {}

    def power_status(self) -> DeviceStatus:
        if self._told is not None:
            return told_status(self._told.fresh())
        power = self._power
        return DeviceStatus(DeviceState.STARTING) if power is None else power.status()

    def start(self, statuses: Callable[[], Mapping[str, DeviceStatus]]) -> None:
        """May block: not on the screen's thread. `statuses` tells of all other devices."""
        from hardware.power.driver import build_power

        run = self._data.run
        if self._has_power and self._told is None:
            self._power = build_power(self._settings)

        def look() -> Mapping[str, DeviceStatus]:
            seen = {name: _news(name, status) for name, status in statuses().items()}
            own = {name: status() for name, status in self.held().items()}
            return {**seen, **own}

        power = self._power
        self._vitals = Vitals(self._ledger, look, None if power is None else power.power, run)
        self._vitals.start()

    def close(self) -> None:
        for one in (self._vitals, self._power):
            if one is not None:
                one.close()


def _is_solar(settings: Settings) -> bool:
    return settings.text("energy.kind") == Supply.SOLAR


def _news(name: str, status: DeviceStatus) -> DeviceStatus:
    plain = name in _COMES_AND_GOES and status.state is DeviceState.READY
    return DeviceStatus(status.state) if plain else status


def read_renderer(data: DataDir) -> str:
    """What draws this node's screen, empty while nobody said."""
    try:
        return (data.run / RENDERER_NAME).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def write_renderer(data: DataDir, renderer: str) -> None:
    """Leave it for every program that judges the node's health. OSError when it cannot be kept."""
    fresh = data.run / f"{RENDERER_NAME}.new"
    fresh.write_text(renderer + "\n", encoding="utf-8")
    fresh.replace(data.run / RENDERER_NAME)
