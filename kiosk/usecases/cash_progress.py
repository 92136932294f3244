"""What the cash machine tells a screen: closed unions, amounts in centavos."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from municipio.cash import RefusedNote
from municipio.payments import Payment
from municipio.usecases.ports import NotRecorded


class CashBlock(StrEnum):
    """Why no cash can be taken for this debt now; NONE when it can."""

    NONE = "none"
    DISABLED = "disabled"
    DEVICE = "device"
    """The bus is silent, or neither coins nor notes can be taken."""
    FULL = "full"
    """Box and stacker hold all that fits."""
    FORMER = "former"
    """An earlier payment is still being cleared up: try again in a minute."""
    TOO_MUCH = "too_much"
    """Above the amount that this kiosk takes in cash."""
    UNPAYABLE = "unpayable"
    """No pieces that it takes now add up to the amount, and change cannot help."""
    TOO_OLD = "too_old"
    """Off line, and the liquidación is older than the city allows for cash."""
    ENERGY = "energy"
    """The node keeps what energy is left: money that goes in must also be receipted."""


@dataclass(frozen=True, slots=True)
class CashTerms:
    """What a person is told before anything goes in. `change_limit_centavos`: what could come out now."""

    due_centavos: int
    coins: frozenset[int]
    notes: frozenset[int]
    gives_change: bool
    change_limit_centavos: int


@dataclass(frozen=True, slots=True)
class CashStarted:
    payment: Payment


@dataclass(frozen=True, slots=True)
class CashNotStarted:
    """Nothing was journalled."""

    why: CashBlock


@dataclass(frozen=True, slots=True)
class CashAlreadyStarted:
    """This debt already has a payment here that is taken or not known."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class Inserting:
    """Money may go in. `refused` is why the last note came back; `stacking` the note on its way."""

    due_centavos: int
    collected_centavos: int
    coins: frozenset[int]
    notes: frozenset[int]
    refused: RefusedNote | None = None
    stacking_centavos: int = 0
    gives_change: bool = False

    @property
    def missing_centavos(self) -> int:
        return max(0, self.due_centavos - self.collected_centavos)


@dataclass(frozen=True, slots=True)
class Closing:
    """Nothing more is taken; waiting until the last piece is surely counted."""

    due_centavos: int
    collected_centavos: int


@dataclass(frozen=True, slots=True)
class PayingChange:
    """Coins are coming out; `paid_centavos` so far."""

    change_centavos: int
    paid_centavos: int


@dataclass(frozen=True, slots=True)
class CashSettled:
    """The journal knows the end: `payment.state` is TAKEN, CANCELLED, REFUND_OWED or UNKNOWN.

    With `payment.owed_centavos` or `payment.doubt_centavos` above zero the person gets a paper that
    says so (`municipio.papers.comprobante_efectivo`).
    """

    payment: Payment


@dataclass(frozen=True, slots=True)
class CashUnsaved:
    """The ledger cannot store what happened; nothing more is taken, and nothing is forgotten."""

    payment: Payment
    why: NotRecorded


CashStart = CashStarted | CashNotStarted | CashAlreadyStarted | NotRecorded
CashProgress = Inserting | Closing | PayingChange | CashSettled | CashUnsaved
