"""The energy band in force on a node, as every program reads it, and what nobody may begin in it. Pure.

`DATA/run/energy.json` is written by one program, `plaza energy run`, through `sync.energy_note`; the
same module reads it. A note of another boot, or one that nobody renewed for `STALE_MS`, says nothing:
then a node on the grid has all its energy, and one on the sun saves.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from municipio.clock import Instant

STALE_MS = 6 * 60 * 1000
RENEW_S = 120.0
"""How often the energy program writes the note again while it says nothing new: the card counts writes."""


class Band(StrEnum):
    """How much a node may spend, most first."""

    FULL = "full"
    SAVE = "save"
    RESERVE = "reserve"
    GUARD = "guard"


class Supply(StrEnum):
    """Setting `energy.kind`."""

    GRID = "grid"
    SOLAR = "solar"


class Wake(StrEnum):
    """Setting `energy.wake`: what brings a solar node back when nobody is there."""

    NONE = "none"
    CONTROLLER_TIMER = "controller_timer"
    """The charge controller cuts and returns its load output by a timer, every day."""
    CONTROLLER_VOLTAGE = "controller_voltage"
    """The charge controller cuts its load output by low voltage and returns it when charged."""
    RTC_ALARM = "rtc_alarm"
    """The board's own clock wakes it, where the kernel shows its alarm (`/sys/class/rtc`)."""
    EXTERNAL_TIMER = "external_timer"
    """A timer relay before the node takes the current away and returns it, every day."""


_RANK = {band: rank for rank, band in enumerate(Band)}


def is_below(band: Band, other: Band) -> bool:
    return _RANK[band] > _RANK[other]


def lower(one: Band, other: Band) -> Band:
    return max(one, other, key=_RANK.__getitem__)


def may_start_payments(band: Band) -> bool:
    """Money is not begun with a reserve that must last until it is receipted and kept."""
    return not is_below(band, Band.SAVE)


def may_update(band: Band) -> bool:
    """Writing a system slot takes minutes of full draw: never below save."""
    return not is_below(band, Band.SAVE)


class EnergyNote(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content: the band, why, and the newest figures of the charge controller.

    Figures are None while the controller says nothing. `state` and `cause` are its `DeviceStatus`.
    """

    band: Band
    why: str
    boot: str
    written_boot_ms: int
    since_boot_ms: int
    soc_percent: int | None = None
    battery_mv: int | None = None
    battery_ma: int | None = None
    solar_w: int | None = None
    load_w: int | None = None
    temperature_c: int | None = None
    confidence: str = "unknown"
    state: str = "unknown"
    cause: str = ""
    radio: bool = True
    phase: str = "serving"


def parse_note(raw: bytes) -> EnergyNote | None:
    """None for bytes that are no note."""
    try:
        return msgspec.json.decode(raw, type=EnergyNote)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_fresh(note: EnergyNote, now: Instant) -> bool:
    age_ms = now.boot_ms - note.written_boot_ms
    return note.boot == now.boot and 0 <= age_ms <= STALE_MS


def band_in_force(note: EnergyNote | None, now: Instant, supply: Supply) -> Band:
    """What a program may spend now, also while the energy program is silent."""
    if supply is Supply.GRID:
        return Band.FULL
    return note.band if note is not None and is_fresh(note, now) else Band.SAVE
