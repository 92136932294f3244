"""The payment state table: which step may follow which, and what a restart must do.

intended -> collecting -> taken -> receipted, with declined, cancelled, refund_owed and unknown as
first-class ends. Every step is journalled before the actuation that it announces.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PaymentState(StrEnum):
    INTENDED = "intended"
    """Journalled; no device has been told."""
    COLLECTING = "collecting"
    """The terminal may have been told: from here on a restart asks, and never charges again."""
    TAKEN = "taken"
    RECEIPTED = "receipted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """Nobody here can say; only the terminal's answer or the city's reconciliation resolves it."""
    REFUND_OWED = "refund_owed"


class PaymentMethod(StrEnum):
    CARD = "card"
    CASH = "cash"


class PaymentEvent(StrEnum):
    """What happened, as journalled."""

    TERMINAL_ASKED = "terminal_asked"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    NO_ANSWER = "no_answer"
    GATE_OPENED = "gate_opened"
    """Cash: coins and notes may go in from now on."""
    CASH_COMPLETE = "cash_complete"
    CASH_SHORT = "cash_short"
    """Less than the debt is inside and stays there: the city owes it or completes the payment."""
    RECEIPT_PRINTED = "receipt_printed"
    ALREADY_PAID = "already_paid"
    AMOUNT_DIFFERS = "amount_differs"
    """The terminal took another amount than the person was shown: people must look at it."""


_S, _E = PaymentState, PaymentEvent

TRANSITIONS: dict[tuple[PaymentState, PaymentEvent], PaymentState] = {
    (_S.INTENDED, _E.TERMINAL_ASKED): _S.COLLECTING,
    (_S.INTENDED, _E.GATE_OPENED): _S.COLLECTING,
    (_S.INTENDED, _E.CANCELLED): _S.CANCELLED,
    (_S.COLLECTING, _E.CASH_COMPLETE): _S.TAKEN,
    (_S.COLLECTING, _E.CASH_SHORT): _S.REFUND_OWED,
    (_S.UNKNOWN, _E.CASH_COMPLETE): _S.TAKEN,
    (_S.UNKNOWN, _E.CASH_SHORT): _S.REFUND_OWED,
    (_S.COLLECTING, _E.APPROVED): _S.TAKEN,
    (_S.COLLECTING, _E.DECLINED): _S.DECLINED,
    (_S.COLLECTING, _E.CANCELLED): _S.CANCELLED,
    (_S.COLLECTING, _E.NO_ANSWER): _S.UNKNOWN,
    (_S.UNKNOWN, _E.APPROVED): _S.TAKEN,
    (_S.UNKNOWN, _E.DECLINED): _S.DECLINED,
    (_S.UNKNOWN, _E.CANCELLED): _S.CANCELLED,
    (_S.UNKNOWN, _E.NO_ANSWER): _S.UNKNOWN,
    # A bank may approve what the terminal had already called an end: the money moved, so it counts.
    (_S.DECLINED, _E.APPROVED): _S.TAKEN,
    (_S.CANCELLED, _E.APPROVED): _S.TAKEN,
    **{
        (state, _E.AMOUNT_DIFFERS): _S.UNKNOWN
        for state in (_S.COLLECTING, _S.UNKNOWN, _S.DECLINED, _S.CANCELLED)
    },
    (_S.TAKEN, _E.RECEIPT_PRINTED): _S.RECEIPTED,
    (_S.TAKEN, _E.ALREADY_PAID): _S.REFUND_OWED,
    (_S.RECEIPTED, _E.ALREADY_PAID): _S.REFUND_OWED,
}


class PaymentRuleBroken(ValueError):
    """A step that the table does not know: a programmer's error, never a citizen's."""


def advance(state: PaymentState, event: PaymentEvent) -> PaymentState:
    """The state after `event`. Raises PaymentRuleBroken for a step that is not in the table."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise PaymentRuleBroken(f"no step from {state.value} on {event.value}") from None


class Recovery(StrEnum):
    """What a program that finds a payment after a restart must do with it."""

    NOTHING = "nothing"
    CANCEL = "cancel"
    QUERY_TERMINAL = "query_terminal"
    """Of cash: look at the bus and at the cash journal."""
    OFFER_RECEIPT = "offer_receipt"


RECOVERY: dict[PaymentState, Recovery] = {
    _S.INTENDED: Recovery.CANCEL,
    _S.COLLECTING: Recovery.QUERY_TERMINAL,
    _S.UNKNOWN: Recovery.QUERY_TERMINAL,
    _S.TAKEN: Recovery.OFFER_RECEIPT,
    _S.RECEIPTED: Recovery.NOTHING,
    _S.DECLINED: Recovery.NOTHING,
    _S.CANCELLED: Recovery.NOTHING,
    _S.REFUND_OWED: Recovery.NOTHING,
}

LATE_LOOKS_S = (60, 120, 300, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
"""Waits before each further question about a card charge that ended without money, about two days."""

OPEN_STATES = frozenset(s for s, r in RECOVERY.items() if r is not Recovery.NOTHING)


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as the journal holds it. `key` is the idempotency key the terminal sees.

    `concepts` are (label, amount in centavos) pairs printed on the receipt; no personal data.
    """

    key: str
    folio: str
    clave: str
    amount_centavos: int
    method: PaymentMethod
    state: PaymentState
    liquidacion_id: str
    concepts: tuple[tuple[str, int], ...] = ()
    authorization: str = ""
    card_last4: str = ""
    boot: str = ""
    boot_ms: int = 0
    collected_centavos: int = 0
    """Cash that went in and surely stayed at some time, change included."""
    change_centavos: int = 0
    """Cash that came out again."""
    owed_centavos: int = 0
    """What the city owes this person: change that did not come out, or a payment cut short."""
    doubt_centavos: int = 0
    """Up to so much more may be inside; the next count of the box says."""
    unread_pieces: int = 0
    """Coins or notes that went in while the power failed, and nobody knows which."""
    taken_at: str = ""
    """RFC 3339 UTC of the approval, empty while not taken or when the time was unknown."""
    looks_left: int = 0
    """How many more times the terminal is asked whether the bank approved this ended charge after all."""
