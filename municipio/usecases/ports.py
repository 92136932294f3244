"""The doors of the use cases: Protocols that `sync` and `hardware` implement.

Expected trouble comes back as a value of a closed union; only a programmer's error raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from municipio.cash import CashCount, CashMovement
from municipio.devices import CashPosition, PrintVerdict
from municipio.facts import Fact, FactDraft
from municipio.payments import Payment

if TYPE_CHECKING:
    from municipio.predial import Account, SignedLiquidacion
    from municipio.reports import Service
    from municipio.terms import Terms
    from municipio.tramites import Category, Tramite

# --- memory: the ledger -----------------------------------------------------------------------


class FolioStub(msgspec.Struct, frozen=True):
    """What stays readable on a node about one matter: nothing personal.

    `kind` is the noun a citizen knows (predial, reporte, pase, portal); `state` a word of that
    kind's closed list; `opened_on` an ISO date, or empty when the date was not known.
    """

    folio: str
    kind: str
    state: str
    opened_on: str
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One paper in the spool. `copy` is 0 for the original, n for COPIA n.

    `rendered` are the exact bytes for the wire; a ledger erases them once printed and unclaimed for
    24 h, and never stores those of a paper with words that a person typed.
    """

    id: str
    folio: str
    kind: str
    copy: int
    sha256: str
    rendered: bytes
    verdict: PrintVerdict = PrintVerdict.PENDING
    cause: str = ""


class Numbered(msgspec.Struct, frozen=True):
    """What the ledger decided about a draft, known inside the transaction that stores it."""

    fact_id: str
    epoch: int
    seq: int
    folio: str
    """The folio that this fact opens, whether or not the use case uses it."""


Change = Payment | FolioStub | PrintJob | CashMovement | CashPosition
"""Business rows; each is inserted or replaced by its key in the same transaction as the fact."""


class Recorded(msgspec.Struct, frozen=True):
    fact: Fact
    folio: str


class NotRecordedCause(StrEnum):
    DISK_FULL = "disk_full"
    LEDGER_DAMAGED = "ledger_damaged"
    LEDGER_BUSY = "ledger_busy"


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """Nothing was stored: say so to the citizen and do not go on."""

    cause: NotRecordedCause
    detail: str


def no_changes(_: Numbered) -> Sequence[Change]:
    return ()


class Ledger(Protocol):
    """The node's memory. Every write returns after fsync; a returned Recorded survives a power cut."""

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded: ...

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        """Store business rows that no fact announces (a journal step); None means stored."""
        ...

    def payment(self, key: str) -> Payment | None: ...

    def open_payments(self) -> tuple[Payment, ...]:
        """Payments that a restart must look after, oldest first (`municipio.payments.RECOVERY`)."""
        ...

    def payments_for(self, clave: str) -> tuple[Payment, ...]: ...

    def payment_by_folio(self, folio: str) -> Payment | None: ...

    def folio(self, folio: str) -> FolioStub | None: ...

    def print_job(self, job_id: str) -> PrintJob | None: ...

    def print_jobs_for(self, folio: str) -> tuple[PrintJob, ...]: ...


class CardLedger(Ledger, Protocol):
    """A ledger that also knows which ended card charges are still asked about."""

    def watched_payments(self) -> tuple[Payment, ...]:
        """Ended without money, but a late approval may still be told (`looks_left`), oldest first."""
        ...


class CashLedger(CardLedger, Protocol):
    """A ledger that also keeps the cash journal; positions move in the transaction of their event."""

    def cash_movements(self, payment: str) -> tuple[CashMovement, ...]:
        """Of one payment, oldest first."""
        ...

    def cash_positions(self) -> tuple[CashPosition, ...]: ...

    def cash_counts(self) -> tuple[CashCount, ...]:
        """Everything since the last cut, its own rows included, summed for `count_box`."""
        ...


# --- memory: the catalogue --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TramiteHit:
    id: str
    name: str
    dependency: str
    cost_label: str
    category: str
    score: float


class Catalogue(Protocol):
    """The city's content on this node: read-only, swapped whole."""

    def search_tramites(self, query: str, limit: int = 20) -> tuple[TramiteHit, ...]: ...

    def tramite(self, tramite_id: str) -> Tramite | None: ...

    def categories(self) -> tuple[Category, ...]: ...

    def tramites_in(self, category_id: str) -> tuple[TramiteHit, ...]: ...

    def most_consulted(self, limit: int = 6) -> tuple[TramiteHit, ...]: ...

    def account(self, clave: str) -> Account | None:
        """What the screen may show of a property: masked owner, street, colonia. Digits only in `clave`."""
        ...

    def liquidacion(self, clave: str) -> SignedLiquidacion | None: ...

    def services(self) -> tuple[Service, ...]: ...

    def colonias(self) -> tuple[str, ...]: ...

    def terms(self, language: str) -> Terms | None: ...

    def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
        """(name, number) pairs."""
        ...

    def recipient_keys(self, recipient: str) -> tuple[str, ...]:
        """age public keys of an office: `siac`, `tesoreria` or `contraloria`."""
        ...

    def content_date(self) -> date | None: ...


# --- the city over the wire -------------------------------------------------------------------


class NoAnswerCause(StrEnum):
    OFFLINE = "offline"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    BAD_ANSWER = "bad_answer"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The city did not give an answer that can be believed; no charge may start."""

    cause: NoAnswerCause
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AlreadyPaid:
    clave: str
    paid_on: str
    folio: str = ""


@dataclass(frozen=True, slots=True)
class UnknownAccount:
    clave: str


@dataclass(frozen=True, slots=True)
class CityFolio:
    """What the city says about a folio: its own number (if given) and state in the city's words."""

    folio: str
    kind: str
    state: str
    city_folio: str = ""
    updated_on: str = ""


class LinkState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """How the talk with the city goes, as `sync`'s worker last wrote it down."""

    state: LinkState
    waiting: int
    """Facts that the city has not acknowledged."""
    last_carried: str = ""
    """RFC 3339 UTC of the last acknowledgement, empty if never."""
    since: str = ""
    """RFC 3339 UTC since when `state` holds, empty if unknown."""
    requests: int | None = None
    """Of those that wait, payments, reports and whatever else a person asked for; None if not told."""


class City(Protocol):
    """Questions that need the city now. Never called on a screen's thread."""

    def fresh_liquidacion(
        self, clave: str
    ) -> SignedLiquidacion | AlreadyPaid | UnknownAccount | NoAnswer: ...

    def folio(self, folio: str) -> CityFolio | NoAnswer | None: ...


class Link(Protocol):
    def report(self) -> LinkReport: ...


class Sealer(Protocol):
    """Seals text so that only an office of the city can open it (age, armored)."""

    def seal(self, recipient: str, plaintext: bytes) -> str: ...


class AttachmentSealer(Protocol):
    """Seals a file (a photo) so that only an office of the city can open it (age, binary)."""

    def seal_bytes(self, recipient: str, plaintext: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class AttachmentRef:
    """A sealed file that is safe on this node. A fact names it in `"attachments"` of its data."""

    sha256: str
    bytes: int
    media_type: str

    def document(self) -> dict[str, Any]:
        """The member of a fact's `"attachments"` list."""
        return {"sha256": self.sha256, "bytes": self.bytes, "media_type": self.media_type}


class NotStoredCause(StrEnum):
    TOO_LARGE = "too_large"
    """One file over the limit."""
    FULL = "full"
    """No room left for attachments; money and reports still have theirs."""
    FAILED = "failed"
    """The disk refused."""


@dataclass(frozen=True, slots=True)
class NotStored:
    """Nothing was stored: the matter can go on without the file."""

    cause: NotStoredCause
    detail: str


class Attachments(Protocol):
    """Sealed files on their way to the city. A returned AttachmentRef survives a power cut.

    Put first, then record the fact that names it; a file that no fact names is erased after an hour
    or two. The file is erased once the city has it.
    """

    def put(self, sealed: bytes, media_type: str) -> AttachmentRef | NotStored: ...


class Signer(Protocol):
    """The node's Ed25519 key."""

    def sign(self, message: bytes) -> bytes: ...
