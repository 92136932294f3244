"""What becomes of the node's devices, its body and its energy, as facts for the city.

One thread looks every second. A state becomes a fact when it lasted, once, and no device tells more
than about one change a minute; what was told last is kept over restarts, so that starting is no news.
Coalescing happens here, before a fact is numbered: a numbered fact is never dropped.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hardware.health.changes import Change, ChangeDetector
from hardware.power.level import Level, LevelWatch
from hardware.power.state import PowerState
from municipio.devices import DeviceStatus
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Ledger, NotRecorded

LOOK_EVERY_S = 1.0
MEMORY_NAME = "vitals.json"


class Vitals:
    """`step` looks once; `start` does it in a thread until `close`. `folder` keeps what was told."""

    def __init__(
        self,
        ledger: Ledger,
        statuses: Callable[[], Mapping[str, DeviceStatus]],
        power: Callable[[], PowerState] | None,
        folder: Path,
        name: str = MEMORY_NAME,
    ) -> None:
        """`name` is the file of what was told: each program of a node has its own."""
        self._ledger = ledger
        self._statuses = statuses
        self._power = power
        self._file = folder / name
        self._detector = ChangeDetector()
        self._levels = LevelWatch()
        self._told: dict[str, list[str]] = _read(self._file)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        thread = threading.Thread(target=self._run, name="vitals", daemon=True)
        thread.start()
        self._thread = thread  # only now, because `close` may come from another thread

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def step(self, now: float) -> None:
        """Monotonic seconds."""
        for name, status in self._statuses().items():
            change = self._detector.see(name, status, now)
            if change is not None:
                self._device(change)
        if self._power is not None:
            power = self._power()
            level = self._levels.see(power, now)
            if level is not None:
                self._energy(level, power)

    def _run(self) -> None:
        while not self._closing.wait(LOOK_EVERY_S):
            self.step(time.monotonic())

    def _device(self, change: Change) -> None:
        state, cause = change.now.state.value, change.now.cause
        before = self._told.get(change.device, ["", ""])
        if before != [state, cause]:
            data = {"device": change.device, "state": state, "cause": cause, "before": before[0]}
            self._tell(FactType.DEVICE_CHANGED, data, change.device, [state, cause])

    def _energy(self, level: Level, power: PowerState) -> None:
        before = self._told.get("energy", [""])[0]
        if before != level.value:
            data: dict[str, Any] = {
                "level": level.value,
                "before": before,
                "soc_percent": power.soc_percent,
                "battery_mv": power.battery_mv,
                "confidence": power.confidence.value,
            }
            self._tell(FactType.ENERGY_CHANGED, data, "energy", [level.value])

    def _tell(self, fact: FactType, data: dict[str, Any], name: str, told: list[str]) -> None:
        """What could not be stored is told again when it next changes; vitals never stop a kiosk."""
        if isinstance(self._ledger.record(FactDraft(fact, data)), NotRecorded):
            return
        self._told[name] = told
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            fresh.write_text(json.dumps(self._told), encoding="utf-8")
            fresh.replace(self._file)


def _read(file: Path) -> dict[str, list[str]]:
    """Nothing when it is missing or damaged: then every state is news once."""
    try:
        document = json.loads(file.read_bytes())
        return {str(k): [str(word) for word in v] for k, v in document.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
