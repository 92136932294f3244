"""The receipt of a payment, and the slip for a payment that nobody can confirm yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from municipio.liquidacion import Liquidacion, LiquidacionRow
from municipio.money import format_amount, format_mxn, importe_con_letra
from municipio.papers.common import (
    Gettext,
    clave_text,
    copy_mark,
    ending,
    identity,
    letterhead,
    qr_block,
    small,
)
from municipio.payments import PaymentMethod
from municipio.receipts import Align, Line, Pair, Paper, PaperKind, Rule, Size, Text
from municipio.settings import Settings

MAX_CONCEPTS = 14
"""With more lines than these a receipt would be longer than 40 lines; years are then summed up."""

Concepts = Sequence[tuple[str, int]]
"""(label, amount in centavos) pairs; a discount is negative."""


def concepts_of(liquidacion: Liquidacion, _: Gettext) -> tuple[tuple[str, int], ...]:
    """The concepts of a liquidación as lines of a receipt; they always add up to its total.

    One line per year and concept; when that is too long, one for the tax and one for the cost of
    paying late per year; then one per year; and at the last all earlier years in one line.
    """
    for detail in (_full, _two_per_year, _one_per_year):
        lines = [line for row in liquidacion.rows for line in detail(row, _)]
        lines += _discount_lines(liquidacion, _)
        if len(lines) <= MAX_CONCEPTS:
            return tuple(lines)
    keep = MAX_CONCEPTS - 2
    old, recent = liquidacion.rows[:-keep], liquidacion.rows[-keep:]
    label = _("{first} a {last} Predial y accesorios")
    label = label.format(first=old[0].year, last=old[-1].year)
    lines = [(label, sum(_charged(row) for row in old))]
    lines += [line for row in recent for line in _one_per_year(row, _)]
    return (*lines, *_discount_lines(liquidacion, _))


def _charged(row: LiquidacionRow) -> int:
    return row.subtotal_centavos + row.discount_centavos


def _full(row: LiquidacionRow, _: Gettext) -> list[tuple[str, int]]:
    concepts = [
        (_("{year} Impuesto"), row.tax_centavos),
        (_("{year} Adicional"), row.adicional_centavos),
        (_("{year} Actualización"), row.update_centavos),
        (_("{year} Recargos"), row.surcharge_centavos),
    ]
    return [(label.format(year=row.year), amount) for label, amount in concepts if amount]


def _two_per_year(row: LiquidacionRow, _: Gettext) -> list[tuple[str, int]]:
    concepts = [
        (_("{year} Impuesto y adicional"), row.tax_centavos + row.adicional_centavos),
        (_("{year} Actualización y recargos"), row.accessories_centavos),
    ]
    return [(label.format(year=row.year), amount) for label, amount in concepts if amount]


def _one_per_year(row: LiquidacionRow, _: Gettext) -> list[tuple[str, int]]:
    return [(_("{year} Predial y accesorios").format(year=row.year), _charged(row))]


def _discount_lines(liquidacion: Liquidacion, _: Gettext) -> list[tuple[str, int]]:
    amount = liquidacion.discount_centavos
    # The label is the city's own text, signed with the amounts; it is not translated.
    return [(liquidacion.benefit_label or _("Descuento"), -amount)] if amount else []


def concept_lines(settings: Settings, concepts: Concepts) -> list[Line]:
    """Concepts as pairs, and the law of the discount when the city prints it."""
    lines: list[Line] = [Pair(label, format_amount(amount)) for label, amount in concepts]
    law = settings.text("city.discount_law")
    if law and any(amount < 0 for _label, amount in concepts):
        lines.append(Text(law, size=Size.SMALL))
    return lines


def total_lines(amount_centavos: int, _: Gettext) -> list[Line]:
    """The total in figures and, always in Spanish, in words."""
    return [
        Pair(_("TOTAL"), format_mxn(amount_centavos), bold=True, size=Size.LARGE),
        small(importe_con_letra(amount_centavos)),
    ]


def recibo(
    settings: Settings,
    _: Gettext,
    *,
    folio: str,
    paid_at: datetime | None,
    clave: str,
    owner_masked: str,
    concepts: Concepts,
    amount_centavos: int,
    method: PaymentMethod,
    authorization: str,
    card_last4: str = "",
    security_chain: str,
    verify_url: str,
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """The receipt of a predial payment, at most 40 lines.

    Settings say whether it is the *recibo oficial* or a *comprobante provisional*. `paid_at` is any
    aware datetime, None when the clock could not be believed. Raises ValueError when the concepts
    do not add up to the amount.
    """
    if sum(amount for _label, amount in concepts) != amount_centavos:
        raise ValueError("the concepts of a receipt must add up to its amount")
    official = settings.text("city.receipt_kind") == "recibo_oficial"
    title = _("RECIBO OFICIAL") if official else _("COMPROBANTE PROVISIONAL")
    lines: list[Line] = [
        *letterhead(settings, title, _("IMPUESTO PREDIAL")),
        *copy_mark(copy, _),
        Rule(),
        *identity(settings, _, folio=folio, moment_label=_("Fecha"), moment=paid_at),
        Pair(_("Clave"), clave_text(settings, clave)),
        Pair(_("Titular"), owner_masked),
        Rule(),
        *concept_lines(settings, concepts),
        Rule(),
        *total_lines(amount_centavos, _),
        _means(method, authorization, card_last4, _),
        *qr_block(verify_url, _("Verifique este comprobante con su teléfono.")),
        small(_("Cadena de seguridad: {chain}").format(chain=security_chain)),
        *ending(settings, _, _keep_note(official, _)),
    ]
    return Paper(PaperKind.RECIBO, folio, tuple(lines), language)


def _means(method: PaymentMethod, authorization: str, card_last4: str, _: Gettext) -> Pair:
    if method is PaymentMethod.CASH:
        return Pair(_("Efectivo"), _("RECIBIDO"), bold=True)
    label = _("Tarjeta {last4}, aut. {code}") if card_last4 else _("Tarjeta, aut. {code}")
    return Pair(label.format(last4=card_last4, code=authorization), _("APROBADA"), bold=True)


def _keep_note(official: bool, _: Gettext) -> str:
    if official:
        return _("Conserve este comprobante.")
    return _("Conserve este comprobante. Su CFDI se entrega con este folio.")


def pago_en_verificacion(
    settings: Settings,
    _: Gettext,
    *,
    folio: str,
    at: datetime | None,
    clave: str,
    amount_centavos: int,
    follow_url: str,
    resolved_by: str = "",
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """The slip of a payment in state unknown: what happened, what not to do, and a folio.

    `resolved_by` is the promise as text in the paper's language (`mañana a las 12:00`), or empty.
    """
    promise: list[Line] = []
    if resolved_by:
        text = _("Se resuelve a más tardar: {when}.").format(when=resolved_by)
        promise = [Text(text, Align.CENTER)]
    lines: list[Line] = [
        *letterhead(settings, _("PAGO EN VERIFICACIÓN")),
        *copy_mark(copy, _),
        Rule(),
        Text(_("NO VUELVA A PAGAR"), Align.CENTER, bold=True, size=Size.LARGE),
        Text(_("La terminal no respondió y no sabemos si el banco cobró. Lo estamos verificando.")),
        Text(_("Si el cobro se hizo, su recibo estará listo con este folio.")),
        Text(_("Este papel no comprueba el pago."), bold=True),
        Rule(),
        *identity(settings, _, folio=folio, moment_label=_("Fecha"), moment=at),
        Pair(_("Clave"), clave_text(settings, clave)),
        Pair(_("Importe"), format_mxn(amount_centavos), bold=True),
        *promise,
        *qr_block(follow_url, _("Consulte aquí su folio.")),
        *ending(settings, _, _("Conserve este papel.")),
    ]
    return Paper(PaperKind.VERIFICACION, folio, tuple(lines), language)
