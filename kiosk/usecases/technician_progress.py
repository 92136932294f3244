"""Where a technician's login stands: a closed union that a screen turns into words. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from municipio.devices import SlotState
from municipio.technicians import SessionEnd, Technician


class Refusal(StrEnum):
    """Why a card or a try was not enough."""

    NO_LIST = "no_list"
    """No list of the city that can be believed; `detail` is a `ListTrouble`."""
    LIST_EXPIRED = "list_expired"
    LIST_NOT_YET = "list_not_yet"
    UNKNOWN_CARD = "unknown_card"
    PERSON_EXPIRED = "person_expired"
    PERSON_NOT_YET = "person_not_yet"
    WRONG_PIN = "wrong_pin"
    PIN_BLOCKED = "pin_blocked"
    LAST_TRY = "last_try"
    """Nothing was tried: one more mistake would block the card, so the person must say yes first."""
    NOT_THE_KEY = "not_the_key"
    """It shows a technician's certificate but does not hold the key: a copy."""
    CARD_GONE = "card_gone"
    CARD_TROUBLE = "card_trouble"


class Access(StrEnum):
    FULL = "full"
    DIAGNOSIS = "diagnosis"
    """See states, run tests, set network and clock; no cash, no keys, no settings of money."""


class Limit(StrEnum):
    """Why access is no more than diagnosis."""

    TIME_UNSURE = "time_unsure"
    """The list may have run out: the node does not know what day it is."""
    NOT_RECORDED = "not_recorded"
    """The ledger or the disk takes nothing, so nothing that needs a witness may be done."""


@dataclass(frozen=True, slots=True)
class NoReader:
    """`state` is NO_READER or UNKNOWN, `cause` of the reader's closed list."""

    state: SlotState
    cause: str


@dataclass(frozen=True, slots=True)
class InsertCard: ...


@dataclass(frozen=True, slots=True)
class ReadingCard: ...


@dataclass(frozen=True, slots=True)
class BadCard:
    cause: str


@dataclass(frozen=True, slots=True)
class NoAccess:
    """This card opens nothing here, whatever its PIN."""

    why: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EnterPin:
    """`is_last_try`: say so, and pass `spend_last_try` only after the person agreed."""

    technician: str
    tries_left: int | None
    is_last_try: bool
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class WaitToTry:
    seconds: int
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Checking: ...


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """`left_s` until the session ends by itself; `warning` names that end once it is near."""

    technician: Technician
    access: Access
    limit: Limit | None
    left_s: int
    warning: SessionEnd | None


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Shown until `begin` or the next card."""

    why: SessionEnd


Progress = (
    NoReader
    | InsertCard
    | ReadingCard
    | BadCard
    | NoAccess
    | EnterPin
    | WaitToTry
    | Checking
    | LoggedIn
    | LoggedOut
)
