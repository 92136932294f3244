"""Every configured device of a node, opened and looked at, all at once; and what may be configured."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hardware.printer.profiles import DPI_203, PROFILES, Profile, Sync
from hardware.registry import REGISTRY, Entry, Watched
from municipio.device_words import technician_words
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

PROBE_S = 4.0
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
        return f"[{mark}] {self.label:<10}{said or self.state}  ({self.port})"


def looked_at(settings: Settings, within_s: float = PROBE_S) -> list[Found]:
    """Every device that has a place in these settings, in the registry's order."""
    entries = [e for e in REGISTRY.values() if e.place(settings)]
    if not entries:
        return []
    with ThreadPoolExecutor(len(entries)) as pool:
        return list(pool.map(lambda e: _look(e, settings, within_s), entries))


def _look(entry: Entry, settings: Settings, within_s: float) -> Found:
    watched = entry.build(settings)
    try:
        heard = settled(watched, within_s)
    finally:
        watched.close()
    return Found(entry.name, entry.label, entry.place(settings), heard.state.value, heard.cause)


def settled(device: Watched, within_s: float = PROBE_S) -> DeviceStatus:
    """Its state once it has spoken, or after `within_s`."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if device.status().state not in (DeviceState.STARTING, DeviceState.UNKNOWN):
            break
        time.sleep(0.05)
    return device.status()


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
