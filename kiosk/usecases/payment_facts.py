"""The payment and receipt facts of a kiosk: exact data of each, as `docs/reference/hechos.md` lists them."""

from __future__ import annotations

from typing import Any

from municipio.cash import Tally
from municipio.clock import Instant
from municipio.facts import FactDraft, FactType, format_time
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.usecases.ports import PrintJob

FOLIO_STATES: dict[PaymentState, str] = {
    PaymentState.INTENDED: "en_proceso",
    PaymentState.COLLECTING: "en_proceso",
    PaymentState.TAKEN: "pagado",
    PaymentState.RECEIPTED: "pagado",
    PaymentState.DECLINED: "rechazado",
    PaymentState.CANCELLED: "cancelado",
    PaymentState.UNKNOWN: "en_verificacion",
    PaymentState.REFUND_OWED: "por_devolver",
}
"""The word of a payment's folio for each state of the table."""


def intended(payment: Payment) -> FactDraft:
    """The folio is the one that this fact opens, so it is not repeated."""
    return FactDraft(FactType.PAYMENT_INTENDED, _debt(payment))


def settled(
    before: PaymentState, after: Payment, cause: str, cash: Tally | None = None
) -> FactDraft:
    """How a payment ended. `cause` is the terminal's message or our own word for why.

    `cash` is given for cash alone: what went in and came out, piece by piece.
    """
    data: dict[str, Any] = {"folio": after.folio, **_debt(after)}
    if cash is not None:
        data["cash"] = _cash(after, cash)
    if after.state is PaymentState.UNKNOWN:
        return FactDraft(FactType.PAYMENT_UNKNOWN, {**data, "cause": cause or "no_answer"})
    if after.state is PaymentState.TAKEN:
        if after.method is PaymentMethod.CARD:
            data |= {"authorization": after.authorization, "card_last4": after.card_last4}
        data["concepts"] = [{"label": t, "amount_centavos": c} for t, c in after.concepts]
        if before in {PaymentState.INTENDED, PaymentState.COLLECTING}:
            return FactDraft(FactType.PAYMENT_TAKEN, data)
    outcome = after.state.value
    return FactDraft(FactType.PAYMENT_RESOLVED, {**data, "outcome": outcome, "cause": cause})


def receipt(fact_type: FactType, job: PrintJob, confirmed_by: str) -> FactDraft:
    """A receipt's print. `confirmed_by` is `printer`, `person` or empty when nobody knows."""
    data = {
        "folio": job.folio,
        "job": job.id,
        "copy": job.copy,
        "sha256": job.sha256,
        "confirmed_by": confirmed_by,
    }
    return FactDraft(fact_type, data)


def taken_at(at: Instant) -> str:
    """When a payment was taken, empty when the node's clock cannot be believed."""
    return format_time(at.time) if at.time is not None and at.is_trusted else ""


def _cash(payment: Payment, cash: Tally) -> dict[str, Any]:
    return {
        "collected_centavos": payment.collected_centavos,
        "change_centavos": payment.change_centavos,
        "owed_centavos": payment.owed_centavos,
        "doubt_centavos": payment.doubt_centavos,
        "unread_pieces": payment.unread_pieces,
        "pieces": [
            {"unit": unit.value, "amount_centavos": amount, "count": count}
            for (unit, amount), count in sorted(cash.pieces.items())
        ],
    }


def _debt(payment: Payment) -> dict[str, Any]:
    return {
        "key": payment.key,
        "clave": payment.clave,
        "liquidacion_id": payment.liquidacion_id,
        "amount_centavos": payment.amount_centavos,
        "method": payment.method.value,
    }
