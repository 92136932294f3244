"""The slip of a citizen report: a provisional folio and where to follow it."""

from __future__ import annotations

from datetime import datetime

from municipio.papers.common import (
    Gettext,
    copy_mark,
    ending,
    identity,
    qr_block,
)
from municipio.receipts import Align, Line, Pair, Paper, PaperKind, Rule, Size, Text
from municipio.settings import Settings


def comprobante_reporte(
    settings: Settings,
    _: Gettext,
    *,
    folio: str,
    filed_at: datetime | None,
    service_name: str,
    dependency: str,
    colonia: str,
    street: str,
    follow_url: str,
    copy: int = 0,
    language: str = "es_MX",
) -> Paper:
    """The receipt of a report. Neither the phone nor the description is printed.

    The folio is provisional: the city's own number arrives when it has received the report.
    """
    lines: list[Line] = [
        Text(settings.text("city.legal_name"), Align.CENTER, bold=True),
        Text(_("REPORTE CIUDADANO"), Align.CENTER, bold=True),
        *copy_mark(copy, _),
        Rule(),
        Text(_("Folio provisional"), Align.CENTER),
        Text(folio, Align.CENTER, bold=True, size=Size.LARGE),
        Rule(),
        *identity(settings, _, folio="", moment_label=_("Fecha"), moment=filed_at),
        Pair(_("Servicio"), service_name),
        Pair(_("Atiende"), dependency),
        Pair(_("Colonia"), colonia),
        *([Pair(_("Calle"), street)] if street else []),
        *qr_block(follow_url, _("Consulte aquí su folio.")),
        *ending(
            settings,
            _,
            _("La ciudad le dará su número definitivo con este folio."),
            _("Conserve este comprobante."),
        ),
    ]
    return Paper(PaperKind.REPORTE, folio, tuple(lines), language)
