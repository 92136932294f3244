"""The printing task of a taken payment, wherever it is printed from."""

from __future__ import annotations

from datetime import timedelta

from kiosk.language import Words
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import Row
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.clock import Instant
from municipio.facts import parse_time
from municipio.money import format_mxn
from municipio.payments import Payment, PaymentState
from municipio.receipts import PaperKind

RECEIPT_FOR = timedelta(hours=24)
"""How long a kiosk prints the receipt of a payment to whoever holds its folio."""


def can_print_receipt(payment: Payment | None, now: Instant) -> bool:
    """Whether the folio alone is enough to have this receipt printed.

    A receipt that never came out is owed even when the time is not known; a copy is not.
    """
    if payment is None or payment.state not in {PaymentState.TAKEN, PaymentState.RECEIPTED}:
        return False
    if now.time is None or not now.is_trusted or not payment.taken_at:
        return payment.state is PaymentState.TAKEN
    return now.time - parse_time(payment.taken_at) <= RECEIPT_FOR


def receipt_task(words: Words, papers: PaperWriter, payment: Payment) -> PrintTask:
    """Reads the catalogue and signs: not on the screen's thread."""
    _ = words
    return PrintTask(
        request=PrintRequest(
            PaperKind.RECIBO, payment.folio, papers.recibo(payment), payment_key=payment.key
        ),
        headline=_("Su pago está hecho"),
        folio_label=_("Folio de su pago"),
        qr=papers.receipt_url(payment),
        qr_caption=_("Su comprobante, en su teléfono"),
        details=(
            Row(_("Importe"), format_mxn(payment.amount_centavos), strong=True),
            Row(_("Autorización"), payment.authorization),
        ),
    )
