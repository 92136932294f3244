"""The printing task of a taken payment, wherever it is printed from."""

from __future__ import annotations

from kiosk.language import Words
from kiosk.presenters.print_task import PrintTask
from kiosk.presenters.views import Row
from kiosk.usecases.papers import PaperWriter
from kiosk.usecases.printing import PrintRequest
from municipio.money import format_mxn
from municipio.payments import Payment
from municipio.receipts import PaperKind


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
