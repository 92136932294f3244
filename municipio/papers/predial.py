"""Predial papers that ask for no money: the ficha de consulta and what to bring for a benefit."""

from __future__ import annotations

from datetime import date, datetime

from municipio.liquidacion import Liquidacion
from municipio.papers.common import (
    Gettext,
    clave_text,
    copy_mark,
    date_text,
    ending,
    identity,
    letterhead,
)
from municipio.papers.payment import concept_lines, concepts_of, total_lines
from municipio.receipts import Align, Check, Line, Pair, Paper, PaperKind, Rule, Text
from municipio.settings import Settings


def ficha_consulta(
    settings: Settings,
    _: Gettext,
    *,
    liquidacion: Liquidacion,
    known_on: date,
    owner_masked: str,
    street: str,
    colonia: str,
    printed_at: datetime | None = None,
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """The last known debt with its date, without any reference: it cannot be paid with.

    For a node whose date is not sure, or a liquidación that has expired.
    """
    known = date_text(known_on, _)
    lines: list[Line] = [
        *letterhead(settings, _("FICHA DE CONSULTA"), _("IMPUESTO PREDIAL")),
        *copy_mark(copy, _),
        Text(_("No sirve para pagar: el importe puede haber cambiado."), Align.CENTER, bold=True),
        Rule(),
        *identity(settings, _, folio="", moment_label=_("Impreso"), moment=printed_at),
        Pair(_("Clave"), clave_text(settings, liquidacion.clave)),
        Pair(_("Titular"), owner_masked),
        Pair(_("Ubicación"), f"{street}, {colonia}"),
        Rule(),
        Pair(_("Adeudo conocido al"), known, bold=True),
        *concept_lines(settings, concepts_of(liquidacion, _)),
        Rule(),
        *total_lines(liquidacion.total_centavos, _),
        *ending(
            settings,
            _,
            _("Si ya pagó en otro lugar, no pague otra vez."),
            _("Pida su importe del día en este kiosco con conexión o en Tesorería."),
        ),
    ]
    return Paper(PaperKind.FICHA, "", tuple(lines), language)


def requisitos_beneficio(
    settings: Settings, _: Gettext, *, clave: str = "", language: str = "es_MX"
) -> Paper:
    """What to take to Tesorería so that it registers a benefit. The kiosk never grants one.

    The city's own list is the setting `city.registered_benefits_note`, items parted by `;`.
    """
    own = [item.strip() for item in settings.text("city.registered_benefits_note").split(";")]
    items = [item for item in own if item] or [
        _("Identificación oficial vigente del titular"),
        _("Último recibo de predial pagado"),
        _("Credencial de pensión o jubilación, INAPAM o de discapacidad, según su caso"),
        _("Acta de matrimonio y de defunción, en caso de viudez"),
        _("Comprobante de domicilio del mismo predio"),
    ]
    which: list[Line] = [Pair(_("Clave"), clave_text(settings, clave))] if clave else []
    lines: list[Line] = [
        *letterhead(settings, _("BENEFICIO EN SU PREDIAL"), _("QUÉ LLEVAR A TESORERÍA")),
        Rule(),
        *which,
        *(Check(item) for item in items),
        Rule(),
        Text(_("Si paga antes de registrarse puede perder el descuento."), bold=True),
        Text(_("Tesorería decide si procede. Este papel no da derecho a un descuento.")),
        *ending(settings, _),
    ]
    return Paper(PaperKind.REQUISITOS, "", tuple(lines), language)
