"""energy.json in the node's run folder: written by `plaza energy run`, read by everything that spends.

A program asks `FileBand(data, settings, clock)()` each time that it matters; the file is read at most
once in `KEEP_MS`, so that a screen may ask at every touch.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from municipio.clock import Clock
from municipio.devices import DeviceState, DeviceStatus
from municipio.energy import Band, EnergyNote, Supply, band_in_force, is_fresh, parse_note
from municipio.settings import Settings
from sync.datadir import DataDir
from sync.whole_file import replace_file

KEEP_MS = 1000
MAX_BYTES = 4096


def write_energy(path: Path, note: EnergyNote) -> None:
    """Replace the file whole; a reader never sees half of it. OSError when it cannot be kept."""
    replace_file(path, msgspec.json.encode(note) + b"\n")


def read_energy(path: Path) -> EnergyNote | None:
    """The last note, or None when there is none that can be read."""
    try:
        with path.open("rb") as file:
            return parse_note(file.read(MAX_BYTES))
    except OSError:
        return None


def told_status(note: EnergyNote | None) -> DeviceStatus:
    """The controller as the energy program sees it; unknown while that program says nothing."""
    if note is None or note.state not in set(DeviceState):
        return DeviceStatus(DeviceState.UNKNOWN, "no_answer")
    return DeviceStatus(DeviceState(note.state), note.cause)


class FileBand:
    """The band in force, and the energy program's newest figures. Safe from any thread."""

    def __init__(self, data: DataDir, settings: Settings, clock: Clock) -> None:
        self._path = data.energy_file
        self._supply = Supply(settings.text("energy.kind"))
        self._clock = clock
        self._kept: tuple[int, EnergyNote | None] | None = None

    def __call__(self) -> Band:
        if self._supply is Supply.GRID:
            return Band.FULL
        return band_in_force(self._note(), self._clock.now(), self._supply)

    def fresh(self) -> EnergyNote | None:
        """The note, or None while nobody renews it."""
        note = self._note()
        return note if note is not None and is_fresh(note, self._clock.now()) else None

    def _note(self) -> EnergyNote | None:
        now_ms = self._clock.now().boot_ms
        kept = self._kept
        if kept is None or not 0 <= now_ms - kept[0] < KEEP_MS:
            self._kept = kept = (now_ms, read_energy(self._path))
        return kept[1]


def fresh_note(data: DataDir, settings: Settings, clock: Clock) -> EnergyNote | None:
    """What the energy program of a solar node says now; None on the grid, or while it does not run."""
    if settings.text("energy.kind") == Supply.GRID:
        return None
    return FileBand(data, settings, clock).fresh()
