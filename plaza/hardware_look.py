"""Every configured device of a node, opened and looked at, all at once; and what may be configured."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hardware.printer.profiles import DPI_203, PROFILES, Profile, Sync
from hardware.registry import REGISTRY, Entry, Watched
from municipio.device_words import technician_words
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.energy_note import fresh_note, told_status

STATE_WORDS = {
    DeviceState.ABSENT: "No está conectado", DeviceState.STARTING: "Arrancando",
    DeviceState.READY: "Listo", DeviceState.BUSY: "Ocupado", DeviceState.ATTENTION: "Pide atención",
    DeviceState.FAULT: "Con falla", DeviceState.UNKNOWN: "No se sabe",
}  # fmt: skip
"""What a technician reads where a state has no cause."""

PROBE_S = 4.0
STEADY_S = 0.8
"""A device may say that it works before it has told of its last trouble."""
SELFTEST_S = 2.5
"""Short enough for three seconds together with opening and closing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at one device said. `port` is where the node expects it."""

    device: str
    label: str
    port: str
    state: str
    cause: str

    @property
    def is_ready(self) -> bool:
        return self.state == DeviceState.READY

    def line(self) -> str:
        mark = "ok" if self.is_ready else "--"
        said = technician_words(self.device, self.cause) if self.cause or self.is_ready else ""
        words = said or STATE_WORDS[DeviceState(self.state)].lower()
        return f"[{mark}] {self.label:<10}{words}  ({self.port})"


def looked_at(
    settings: Settings, data: Path | None = None, within_s: float = PROBE_S
) -> list[Found]:
    """Every device that has a place in these settings, in the registry's order."""
    entries = [e for e in REGISTRY.values() if e.place(settings)]
    if not entries:
        return []
    with ThreadPoolExecutor(len(entries)) as pool:
        return list(pool.map(lambda e: _look(e, settings, data, within_s), entries))


def _look(entry: Entry, settings: Settings, data: Path | None, within_s: float) -> Found:
    heard = _told(entry, settings, data)
    if heard is None:
        watched = entry.build(settings, data)
        try:
            heard = settled(watched, within_s)
        finally:
            watched.close()
    return Found(entry.name, entry.label, entry.place(settings), heard.state.value, heard.cause)


def _told(entry: Entry, settings: Settings, data: Path | None) -> DeviceStatus | None:
    """A solar node's controller belongs to the energy program: while that runs, it is asked."""
    if entry.name != "power" or data is None:
        return None
    note = fresh_note(DataDir(data), settings, SystemClock())
    return None if note is None else told_status(note)


def settled(device: Watched, within_s: float = PROBE_S) -> DeviceStatus:
    """Its state once it has spoken and stays so, or after `within_s`."""
    began = since = time.monotonic()
    newest = device.status()
    while (now := time.monotonic()) - began < within_s:
        heard = device.status()
        if heard != newest:
            newest, since = heard, now
        waits = heard.state in (DeviceState.STARTING, DeviceState.UNKNOWN)
        if not waits and (heard.state is not DeviceState.READY or now - since >= STEADY_S):
            break
        time.sleep(0.05)
    return newest


_TOKENS = {Sync.GS_R: "GS r 1", Sync.PROCESS_ID: "GS ( H", Sync.NONE: "el tiempo"}


def profiles_table() -> str:
    """The printer profiles as a table in Markdown, for technicians."""
    head = "| perfil | impresora | columnas | puntos | página | QR | cuchilla | estado | confirma con |"
    return "\n".join((head, "|--|--|--|--|--|--|--|--|--|", *map(_row, PROFILES.values())))


def _row(profile: Profile) -> str:
    asked = f"DLE EOT {', '.join(map(str, profile.status))}"
    cells = (
        f"`{profile.name}`",
        profile.label,
        str(profile.columns),
        f"{profile.dots} a {203 if profile.dots_per_mm == DPI_203 else 180} ppp",
        f"{profile.codec.upper()} (ESC t {profile.page_slot})",
        "propio" if profile.native_qr else "dibujado",
        "sí" if profile.cutter else "no",
        f"{asked}, avisos ASB" if profile.asb else asked,
        _TOKENS[profile.sync],
    )
    return f"| {' | '.join(cells)} |"
