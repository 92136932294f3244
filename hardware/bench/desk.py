"""The devices of one installation: built together, opened together, done to by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.bench.builders import Place, Watched
from hardware.bench.device import Simulator
from hardware.bench.devices import DEVICES
from hardware.bench.scenario import Scalar
from municipio.devices import DeviceState
from municipio.settings import Settings


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to a device, by a scenario or by a person at the page."""

    device: str
    verb: str
    args: tuple[Scalar, ...]


class Desk:
    """The devices of one installation: built together, opened together, done to by name."""

    def __init__(self, names: tuple[str, ...], place: Place) -> None:
        self._place = place
        self.devices = tuple(DEVICES[n] for n in names)
        self._sims: dict[str, Simulator] = {}
        self._watched: dict[str, Watched] = {}
        self.ask_node: Callable[[], dict[str, dict[str, str]] | None] = dict
        """State and cause of what the node's own programs hold, None while they do not run."""
        self.deeds: list[Deed] = []

    def __getitem__(self, name: str) -> Any:
        """The simulator, built when it is first asked for. KeyError for one that is not here."""
        if name not in self._sims:
            found = next((d for d in self.devices if d.name == name), None)
            if found is None:
                raise KeyError(name)
            self._sims[name] = found.build(self._place)
        return self._sims[name]

    def open(self) -> None:
        """Plug everything in; each port gets a name that stays: `place.dev / device`."""
        self._place.dev.mkdir(parents=True, exist_ok=True)
        for device in self.devices:
            name, sim = device.name, self[device.name]
            sim.open()
            link = getattr(sim, "link", None)
            if link is not None:
                link(self._place.dev / name)

    def watch(self, settings: Settings) -> None:
        """Start the node's own driver for every device that no program of the node opens."""
        for device in self.devices:
            taken = device.taken_by and settings.flag(device.taken_by)
            if device.watch is not None and not taken:
                self._watched[device.name] = device.watch(settings)

    def close(self) -> None:
        for watched in self._watched.values():
            watched.close()
        for sim in self._sims.values():
            sim.close()

    def settings(self) -> dict[str, Scalar]:
        """What the node's settings must say to find them."""
        found: dict[str, Scalar] = {}
        for device in self.devices:
            places = {
                "port": self._place.dev / device.name,
                "files": self._place.folder_of(device.name),
            }
            for name, value in device.settings.items():
                found[name] = value.format(**places) if isinstance(value, str) else value
        return found

    def do(self, deed: Deed) -> None:
        """KeyError for a device or a word that is not there; ValueError for a bad argument."""
        simulator = self[deed.device]
        DEVICES[deed.device].verbs[deed.verb].call(simulator, *deed.args)
        self.deeds.append(deed)

    def states(self) -> dict[str, dict[str, object]]:
        """What each simulator shows of itself, and under `node` what the node's driver says."""
        held = self.ask_node()
        return {
            name: {**sim.state(), "node": self._seen(name, held), **self._figures(name)}
            for name, sim in self._sims.items()
        }

    def _figures(self, name: str) -> dict[str, object]:
        """What the node counts itself, where its driver counts."""
        taken = getattr(self._watched.get(name), "taken_centavos", None)
        return {} if taken is None else {"taken_centavos": taken}

    def sees(self, name: str) -> dict[str, str]:
        """State and cause as the node's own driver tells them; empty when nobody looks at it."""
        return self._seen(name, None if name in self._watched else self.ask_node())

    def _seen(self, name: str, held: Mapping[str, Mapping[str, str]] | None) -> dict[str, str]:
        """Of a device that a program holds, while it does not run: `unseen`."""
        if name in self._watched:
            status = self._watched[name].status()
            return _judged(status.state.value, status.cause)
        if held is None:
            return {"state": "unseen", "cause": ""}
        found = held.get(NODE_NAMES.get(name, name))
        return _judged(found["state"], found["cause"]) if found else {}


NODE_NAMES = {"sun": "power"}
"""Devices that the node calls by another name than the bench."""


def _judged(state: str, cause: str) -> dict[str, str]:
    is_well = state == DeviceState.READY and not cause
    return {"state": state, "cause": cause, **({"all": "well"} if is_well else {})}
