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
from municipio.payments import Payment, PaymentMethod, PaymentState
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
            *_how_paid(payment, _),
        ),
    )


def _how_paid(payment: Payment, _: Words) -> tuple[Row, ...]:
    if payment.method is PaymentMethod.CARD:
        return (Row(_("Autorización"), payment.authorization),)
    received = Row(_("Efectivo recibido"), format_mxn(payment.collected_centavos))
    return (received, Row(_("Cambio"), format_mxn(payment.change_centavos)))


def has_claim(payment: Payment) -> bool:
    """Whether the person leaves with less than they should, or nobody knows."""
    return bool(payment.owed_centavos or payment.doubt_centavos or payment.unread_pieces)


def claim_task(words: Words, papers: PaperWriter, payment: Payment) -> PrintTask:
    """The paper of a cash payment that did not come out even; then its receipt, when it was taken.

    While nothing is known yet it is the one that says so.
    """
    _ = words
    owed = format_mxn(payment.owed_centavos)
    if has_claim(payment):
        make = papers.efectivo(payment)
        headline = _("Le debemos {amount}").format(amount=owed)
        if not payment.owed_centavos or payment.state is PaymentState.UNKNOWN:
            headline = _("Pago en verificación: no vuelva a pagar")
    else:
        make = papers.verificacion(payment, resolved_by=_("mañana a las 12:00"))
        headline = _("Pago en verificación: no vuelva a pagar")
    taken = payment.state is PaymentState.TAKEN
    return PrintTask(
        request=PrintRequest(PaperKind.VERIFICACION, payment.folio, make),
        headline=headline,
        folio_label=_("Su folio"),
        qr=papers.follow_url(payment.folio),
        qr_caption=_("Consulte su folio"),
        details=(
            Row(_("Importe"), format_mxn(payment.amount_centavos)),
            Row(_("Efectivo recibido"), format_mxn(payment.collected_centavos)),
            *((Row(_("A su favor"), owed, strong=True),) if payment.owed_centavos else ()),
        ),
        after=receipt_task(words, papers, payment) if taken else None,
    )
