"""What a device is to the rest of the node: states, verdicts and Protocols that `hardware` implements.

Unknown is a state: a device that does not answer is `unknown`, never `ready`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from municipio.receipts import Paper


class DeviceState(StrEnum):
    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    ATTENTION = "attention"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """State of a device and a cause from that device's closed list.

    Empty when all is well; READY with a cause is a warning: it works, `paper_near_end`.
    """

    state: DeviceState
    cause: str = ""


class PrintVerdict(StrEnum):
    PENDING = "pending"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrintResult:
    verdict: PrintVerdict
    cause: str = ""


class Printer(Protocol):
    """A receipt printer. `print_rendered` blocks until a verdict; never call it on a screen's thread."""

    def status(self) -> DeviceStatus: ...

    def render(self, paper: Paper) -> bytes:
        """Exact bytes for a paper on this printer's profile."""
        ...

    def print_rendered(self, rendered: bytes) -> PrintResult: ...


class ChargeState(StrEnum):
    IDLE = "idle"
    REQUESTED = "requested"
    AT_TERMINAL = "at_terminal"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Charge:
    """What the terminal says about one idempotency key. Never carries a card number."""

    key: str
    state: ChargeState
    amount_centavos: int = 0
    authorization: str = ""
    card_last4: str = ""
    message: str = ""


class CardTerminal(Protocol):
    """A payment terminal. Calls return at once; poll `charge` for progress."""

    def status(self) -> DeviceStatus: ...

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        """Ask for a charge. The same key asked twice is one charge at the terminal."""
        ...

    def charge(self, key: str) -> Charge:
        """The newest known state of that charge, from the terminal if it answers."""
        ...

    def query(self, key: str, timeout_s: float) -> Charge:
        """Ask the terminal what became of a charge; UNKNOWN when it does not answer in time."""
        ...

    def cancel(self, key: str) -> None: ...


# --- smart card: who may open the technician's screens ---------------------------------------


class SlotState(StrEnum):
    """The reader and what is in it. Only `READY` can prove anything."""

    READY = "ready"
    READING = "reading"
    """A card was just put in and is being asked who it is (well under a second)."""
    CARD_ERROR = "card_error"
    NO_CARD = "no_card"
    NO_READER = "no_reader"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Slot:
    """`insertion` grows with each card put in, so a card that left and came back is another one.

    `public_key` (SubjectPublicKeyInfo, DER) is what the card claims; it proves nothing until the
    card signs. `tries_left` is the card's own PIN counter, None when it does not tell.
    """

    state: SlotState
    cause: str = ""
    reader: str = ""
    insertion: int = 0
    tries_left: int | None = None
    public_key: bytes = b""


class Pin:
    """A PIN on its way to a card: never printed, never compared, wiped after its one use."""

    __slots__ = ("_digits",)

    def __init__(self, text: str) -> None:
        """Six to eight digits (NIST SP 800-73-4); ValueError, which does not quote it, otherwise."""
        if not (6 <= len(text) <= 8 and text.isascii() and text.isdigit()):
            raise ValueError("a PIN has six to eight digits")
        self._digits = bytearray(text, "ascii")

    def padded(self) -> bytes:
        """Eight bytes for VERIFY, filled with FF."""
        assert self._digits, "a PIN is used once"
        return bytes(self._digits).ljust(8, b"\xff")

    def wipe(self) -> None:
        self._digits[:] = bytes(len(self._digits))
        self._digits.clear()

    def __repr__(self) -> str:
        return "Pin(...)"

    def __reduce__(self) -> str:
        raise TypeError("a PIN is not stored")


@dataclass(frozen=True, slots=True)
class Proved:
    """The card took the PIN and signed; whoever knows the key must still verify."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class PinWrong:
    tries_left: int | None


@dataclass(frozen=True, slots=True)
class PinBlocked:
    """The card refuses every PIN until the city's office unblocks it."""


@dataclass(frozen=True, slots=True)
class LastTry:
    """The card was not given the PIN: one more mistake (or nobody knows how many) would block it."""

    tries_left: int | None


@dataclass(frozen=True, slots=True)
class CardGone:
    """It was taken out, or another one is in. The PIN may or may not have reached it."""


@dataclass(frozen=True, slots=True)
class CardTrouble:
    """The card or reader failed midway. The PIN may or may not have reached it."""

    cause: str


Proof = Proved | PinWrong | PinBlocked | LastTry | CardGone | CardTrouble


class CardReader(Protocol):
    """A smart card reader for technicians. `slot` and `status` return at once."""

    def status(self) -> DeviceStatus: ...

    def slot(self) -> Slot: ...

    def prove(
        self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
    ) -> Proof:
        """Give the PIN to that very card and have it sign `message`; blocks for a few seconds at most.

        The signature is ECDSA P-256 or RSA PKCS #1 v1.5, both over SHA-256. Never on a screen's thread.
        """
        ...


class CashUnit(StrEnum):
    """The peripherals of a cash bus."""

    COINS = "coins"
    """The coin acceptor and the box below it."""
    NOTES = "notes"
    """The bill validator and its stacker."""
    HOPPER = "hopper"
    """Pays coins of one denomination as change."""


@dataclass(frozen=True, slots=True)
class CashPosition:
    """How far a peripheral's events have been taken into the journal.

    `counter` is its event counter (0 since its reset, then 1..255 round and round); `accepted` its
    lifetime count of pieces taken, -1 when it keeps none. Stored with each event, in one transaction.
    """

    unit: CashUnit
    serial: int
    counter: int
    accepted: int = -1


class CashEventKind(StrEnum):
    COIN_IN = "coin_in"
    NOTE_HELD = "note_held"
    """In escrow: somebody must `route` it, or it goes back by itself."""
    NOTE_STACKED = "note_stacked"
    NOTE_RETURNED = "note_returned"
    NOTE_UNNAMED = "note_unnamed"
    """A note went into the stacker and the validator no longer knows which."""
    NOTE_IN_DOUBT = "note_in_doubt"
    """The validator works again and says nothing of the note that it had."""
    LOST = "lost"
    """`count` pieces went in whose denomination nobody read; -1 when not even how many is known."""
    NOTED = "noted"
    """Nothing moved (a refused coin, a jam, a first contact): only the position changes."""


@dataclass(frozen=True, slots=True)
class CashEvent:
    """One thing that happened at a peripheral, told until it is confirmed."""

    kind: CashEventKind
    position: CashPosition
    amount_centavos: int = 0
    """Of one piece; 0 when it is not known."""
    count: int = 1
    cause: str = ""

    @property
    def unit(self) -> CashUnit:
        return self.position.unit


class CashGate(StrEnum):
    """Can money go in now?"""

    OPEN = "open"
    MOVING = "moving"
    """Being opened or closed, or a note is on its way: wait."""
    CLOSED = "closed"
    """Nothing more can go in, and every event until now has been told."""
    UNKNOWN = "unknown"


class PayoutState(StrEnum):
    IDLE = "idle"
    PAYING = "paying"
    NOT_SENT = "not_sent"
    """The order could not reach the hopper and never will: no coin left."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Payout:
    """The newest order to the hopper; `paid` coins so far, as far as is known."""

    state: PayoutState
    ordered: int = 0
    paid: int = 0


class CashDevice(Protocol):
    """Coins and notes in, coins out. Every call returns at once; poll for progress."""

    def status(self) -> DeviceStatus:
        """READY while money can be taken; the cause names the worst trouble of a peripheral."""
        ...

    def unit_status(self, unit: CashUnit) -> DeviceStatus: ...

    def denominations(self, unit: CashUnit) -> frozenset[int]:
        """Centavos of the pieces that a peripheral knows; of the hopper, the one that it pays."""
        ...

    def resume(self, positions: tuple[CashPosition, ...], pending_note_centavos: int = 0) -> None:
        """Where the journal stands; first of all. `pending_note_centavos`: a stack order without an end.

        Without a position a peripheral's first counter is the start. A note still in escrow goes back.
        """
        ...

    def accept(self, coins: frozenset[int], notes: frozenset[int]) -> None:
        """Take these denominations from now on and refuse all others; none at all closes the gate."""
        ...

    def gate(self) -> CashGate: ...

    def events(self) -> tuple[CashEvent, ...]:
        """What nobody has confirmed yet, oldest first."""
        ...

    def confirm(self, event: CashEvent) -> None:
        """The oldest event is in the journal; it is not told again."""
        ...

    def route(self, *, stack: bool) -> None:
        """Stack the note in escrow, or give it back."""
        ...

    def hopper_count(self) -> int | None:
        """Coins that the hopper ever paid, modulo 2**24; None while it pays or does not answer."""
        ...

    def dispense(self, coins: int) -> None:
        """Pay coins. Never repeated by itself: the difference of `hopper_count` says what was paid."""
        ...

    def payout(self) -> Payout: ...
