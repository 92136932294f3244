"""When a node may take, fetch and install an update: pure, over what is known now.

The first rule that says no is the answer; each is a word of a closed set, in Spanish where a person reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from municipio.energy import Band, may_update
from municipio.wire.software import Bundle, version_key
from plaza.quiet import Busy
from plaza.updates.state import Cause, Journal, State

GENERATION = 100
"""Ledger schemas of one hundred open in every program of that hundred (`sync.database`)."""
MAX_TRIES = 2
"""A version that only failed to start is tried once more: the power may have been cut during its trial."""
MAX_INSTALLS = 3
ROOM_BYTES = 300 * 1024 * 1024
"""What stays free on the data partition beside a bundle."""


class No(StrEnum):
    """Why not now, or not at all."""

    BOARD = "board"
    SAME = "same"
    OLDER = "older"
    RETURNED = "returned"
    RING = "ring"
    NOT_YET = "not_yet"
    CLOCK = "clock"
    SCHEMA = "schema"
    SWITCHED_OFF = "switched_off"
    WAVE = "wave"
    ENERGY = "energy"
    ROOM = "room"
    PAYMENT = "payment"
    PERSON = "person"
    HOURS = "hours"


WORDS: dict[No, str] = {
    No.BOARD: "es para otra tarjeta",
    No.SAME: "ya es la versión instalada",
    No.OLDER: "es anterior a la instalada y la ciudad no firmó que se pueda volver",
    No.RETURNED: "ya se probó aquí y no sirvió",
    No.RING: "todavía no es para el anillo de este nodo",
    No.NOT_YET: "todavía no es su fecha",
    No.CLOCK: "la hora no es segura",
    No.SCHEMA: "la memoria de este nodo no la podría leer una de las dos versiones",
    No.SWITCHED_OFF: "las actualizaciones automáticas están apagadas (update.automatic)",
    No.WAVE: "la ciudad aún no abre esta ola, o la detuvo",
    No.ENERGY: "no hay energía de sobra",
    No.ROOM: "no cabe en el disco",
    No.PAYMENT: "hay un pago en curso",
    No.PERSON: "alguien usa el kiosco",
    No.HOURS: "no es hora de servicio interno",
}


@dataclass(frozen=True, slots=True)
class Here:
    """What this node is. `local` is the hour of the place, None while no clock is believed."""

    version: str
    board: str
    ledger_schema: int
    ring: int
    local: datetime | None


@dataclass(frozen=True, slots=True)
class Window:
    """Hours in which a node may start anew by itself, the last not included; over midnight too."""

    from_hour: int
    to_hour: int

    def holds(self, moment: datetime) -> bool:
        hour, first, last = moment.hour, self.from_hour, self.to_hour
        return first <= hour < last if first <= last else hour >= first or hour < last


@dataclass(frozen=True, slots=True)
class Moment:
    """How things are now. `told`: a person said now, so the hours do not count; all else does."""

    band: Band
    busy: Busy | None
    told: bool


def refusal(bundle: Bundle, here: Here, journal: Journal) -> No | None:
    """Why this node never takes this bundle as it stands, or None."""
    if bundle.board != here.board:
        return No.BOARD
    if bundle.version == here.version:
        return No.SAME
    if version_key(bundle.version) <= version_key(here.version) and not bundle.goes_back:
        return No.OLDER
    if is_given_up(bundle.version, journal):
        return No.RETURNED
    if not schemas_fit(bundle, here):
        return No.SCHEMA
    if here.ring > bundle.ring:
        return No.RING
    if bundle.not_before is not None:
        if here.local is None:
            return No.CLOCK
        if here.local.date() < bundle.not_before:
            return No.NOT_YET
    return None


def schemas_fit(bundle: Bundle, here: Here) -> bool:
    """Both ways are open: the new one reads what is here, and this one what the new one writes.

    A person's own bundle may not say its schema (0); what it writes is then known to be of our time.
    """
    if bundle.ledger_schema == 0:
        return True
    same_generation = bundle.ledger_schema // GENERATION == here.ledger_schema // GENERATION
    return same_generation and here.ledger_schema >= bundle.min_ledger_schema


def is_given_up(version: str, journal: Journal) -> bool:
    return journal.returned.get(version, 0) >= MAX_TRIES


def tries_spent(cause: Cause) -> int:
    """How much of MAX_TRIES a return costs: what may have been the power's fault gets another try."""
    return MAX_TRIES if cause in (Cause.UNHEALTHY, Cause.BY_HAND) else 1


def may_fetch(bundle: Bundle, band: Band, free_bytes: int) -> No | None:
    """Fetching wants energy and room; it disturbs nobody."""
    if not may_update(band):
        return No.ENERGY
    return No.ROOM if free_bytes < bundle.size + ROOM_BYTES else None


def may_install(moment: Moment, here: Here, window: Window) -> No | None:
    """Installing and starting anew: never with somebody there, never on the last of the battery."""
    if not may_update(moment.band):
        return No.ENERGY
    if moment.busy is not None:
        return No.PAYMENT if moment.busy is Busy.PAYMENT else No.PERSON
    if moment.told:
        return None
    if here.local is None:
        return No.CLOCK
    return None if window.holds(here.local) else No.HOURS


def is_under_way(state: State) -> bool:
    """From here on a newer offer has to wait."""
    return state not in (State.IDLE, State.AVAILABLE, State.DOWNLOADING, State.READY)
