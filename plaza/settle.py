"""New settings of the city come into force: the programs that read them start anew, when nobody is served.

If one of them does not stay up, the former settings come back, all of them, and the city hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Ledger
from plaza.unit_control import Units
from sync.city_settings import (
    CitySettings,
    previous_file,
    read_city_settings,
    write_city_settings,
)
from sync.pull_settings import changed_keys

KIOSK, PORTAL, WIFI = "plaza-kiosk.service", "plaza-portal.service", "plaza-wifi.service"
FILTER = ("plaza-filter-config.service", "plaza-filter.service", "plaza-names.service")
READ_BY: dict[str, tuple[str, ...]] = {
    "city": (KIOSK, PORTAL),
    "node": (KIOSK, PORTAL),
    "central": (KIOSK, PORTAL),
    "portal": (PORTAL,),
    "update": (),
}
"""Programs by section; a section that is not here is the kiosk's."""

WATCH_S = 60.0
LOOK_S = 5.0
PATIENCE_S = 6 * 3600.0
"""As long as somebody is served; after a whole night it is the sign that is wrong."""


def affected(keys: Iterable[str]) -> tuple[str, ...]:
    """Units that must start anew for these settings, each once."""
    found: dict[str, None] = {}
    for key in keys:
        found |= dict.fromkeys(READ_BY.get(key.partition(".")[0], (KIOSK,)))
        found |= dict.fromkeys(FILTER if key == "city.timezone" else ())
        found |= dict.fromkeys((WIFI,) if key == "portal.ssid" else ())
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Settled:
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """The former settings are in force again, because these did not stay up."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settling:
    """`busy` tells who is served now; `wait` sleeps that many seconds, and ends the program if told."""

    file: Path
    units: Units
    ledger: Ledger
    busy: Callable[[], object]
    wait: Callable[[float], None]

    def run(self, mark: Path) -> Settled | Undone:
        """Bring what is in the file into force. `mark` remembers what programs were last started with."""
        new = read_city_settings(self.file)
        former = _marked(mark, previous_file(self.file))
        units = affected(changed_keys(former, new))
        if units:
            self._wait_for_quiet()
            self.units.restart(units)
            fallen = self._watch(units)
            if fallen:
                return self._undo(new, former, units, fallen)
        _write_mark(mark, new)
        return Settled(units)

    def _wait_for_quiet(self) -> None:
        waited = 0.0
        while self.busy() is not None and waited < PATIENCE_S:
            self.wait(LOOK_S)
            waited += LOOK_S

    def _watch(self, units: Sequence[str]) -> tuple[str, ...]:
        """Units that died since they were started."""
        first = self.units.restarts(units)
        self.wait(WATCH_S)
        now = self.units.restarts(units)
        return tuple(
            n for n in units if n in first and (now.get(n, -1) != first[n] or first[n] < 0)
        )

    def _undo(
        self, new: CitySettings, former: CitySettings, units: Sequence[str], fallen: tuple[str, ...]
    ) -> Undone:
        """The same documents count as taken, so that they are not taken again at the next round."""
        write_city_settings(self.file, CitySettings(new.targets, former.values))
        self.units.restart(units)
        cause = f"did not stay up: {', '.join(fallen)}"
        keys = list(changed_keys(former, new))
        data = {"state": "undone", "targets": new.targets, "keys": keys, "cause": cause}
        self.ledger.record(FactDraft(FactType.NODE_CONFIGURED, data))
        return Undone(fallen)


def _marked(mark: Path, previous: Path) -> CitySettings:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=CitySettings)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return read_city_settings(previous)


def _write_mark(mark: Path, settings: CitySettings) -> None:
    part = mark.with_name(f".{mark.name}.new")
    part.write_bytes(msgspec.json.encode(settings))
    part.replace(mark)
