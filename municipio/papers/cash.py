"""The paper of a cash payment that did not come out even: what went in, what is owed, and to whom to go."""

from __future__ import annotations

from datetime import datetime

from municipio.money import format_mxn
from municipio.papers.common import (
    Gettext,
    clave_text,
    copy_mark,
    ending,
    identity,
    letterhead,
    qr_block,
)
from municipio.payments import Payment, PaymentState
from municipio.receipts import Align, Line, Pair, Paper, PaperKind, Rule, Size, Text
from municipio.settings import Settings


def comprobante_efectivo(
    settings: Settings,
    _: Gettext,
    *,
    payment: Payment,
    at: datetime | None,
    follow_url: str,
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """For a payment cut short, in doubt, or paid with change still owed. It is no receipt of the debt.

    Raises ValueError when nothing is owed and nothing is in doubt: then there is nothing to claim.
    """
    in_doubt = payment.doubt_centavos > 0 or payment.unread_pieces > 0
    if not payment.owed_centavos and not in_doubt:
        raise ValueError("a payment that came out even needs no such paper")
    lines: list[Line] = [
        *letterhead(settings, _("COMPROBANTE DE EFECTIVO")),
        *copy_mark(copy, _),
        Rule(),
        *_what_happened(payment, _),
        Rule(),
        *identity(settings, _, folio=payment.folio, moment_label=_("Fecha"), moment=at),
        Pair(_("Clave"), clave_text(settings, payment.clave)),
        Pair(_("Importe del adeudo"), format_mxn(payment.amount_centavos)),
        Pair(_("Efectivo recibido"), format_mxn(payment.collected_centavos)),
        *_if(payment.change_centavos, _("Devuelto"), payment.change_centavos),
        *_if(payment.owed_centavos, _("A su favor"), payment.owed_centavos),
        *_if(payment.doubt_centavos, _("En verificación, hasta"), payment.doubt_centavos),
        *_unread(payment, _),
        *qr_block(follow_url, _("Consulte aquí su folio.")),
        *ending(settings, _, _("Conserve este papel: es su comprobante del efectivo.")),
    ]
    return Paper(PaperKind.VERIFICACION, payment.folio, tuple(lines), language)


def _what_happened(payment: Payment, _: Gettext) -> list[Line]:
    if payment.state in (PaymentState.TAKEN, PaymentState.RECEIPTED):
        title = _("ADEUDO PAGADO")
        text = _("Su adeudo quedó pagado. Falta entregarle la cantidad a su favor.")
    elif payment.state is PaymentState.UNKNOWN:
        title = _("EN VERIFICACIÓN")
        text = _("El pago se interrumpió. El personal contará la caja para confirmar lo recibido.")
    else:
        title = _("PAGO INCOMPLETO")
        text = _("El pago se interrumpió y su adeudo no quedó pagado.")
    where = _("Con este papel, en Tesorería le devuelven el dinero o completan su pago.")
    return [Text(title, Align.CENTER, bold=True, size=Size.LARGE), Text(text), Text(where)]


def _if(holds: int, label: str, amount_centavos: int) -> list[Line]:
    return [Pair(label, format_mxn(amount_centavos), bold=True)] if holds else []


def _unread(payment: Payment, _: Gettext) -> list[Line]:
    if not payment.unread_pieces:
        return []
    text = _("Piezas que entraron sin leerse: {n}").format(n=payment.unread_pieces)
    return [Text(text, bold=True)]
