"""The node's own acceptance sheet: what a technician leaves signed where a node was put up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from municipio.acceptance import AcceptanceStep, is_accepted
from municipio.papers.common import Gettext, kiosk_text, moment_text
from municipio.receipts import (
    Align,
    Check,
    Cut,
    Line,
    Pair,
    Paper,
    PaperKind,
    Rule,
    Size,
    Space,
    Text,
)
from municipio.settings import Settings

SIGN = "_" * 24


def hoja_de_aceptacion(
    settings: Settings,
    _: Gettext,
    *,
    steps: Sequence[AcceptanceStep],
    printed_at: datetime | None,
    version: str,
    language: str = "es_MX",
) -> Paper:
    """A step that is done says so; one that is not has a box, and what to do."""
    whole = is_accepted(tuple(steps))
    verdict = _("TODO LISTO") if whole else _("FALTA ALGO")
    lines: list[Line] = [
        Text(settings.text("city.name"), Align.CENTER, bold=True),
        Text(_("HOJA DE ACEPTACIÓN"), Align.CENTER, bold=True),
        Text(verdict, Align.CENTER, bold=True, size=Size.LARGE),
        Rule(),
        Pair(_("Nodo"), settings.node_code, bold=True),
        Pair(_("Lugar"), kiosk_text(settings)),
        Pair(_("Fecha"), moment_text(printed_at, settings, _)),
        Pair(_("Programa"), version),
        Rule(),
    ]
    for step in steps:
        if step.is_done:
            lines.append(Pair(step.label, _("SÍ"), bold=True))
            lines.append(Text(f"  {step.text}", size=Size.SMALL))
        else:
            lines.append(Check(f"{step.label}: {step.text}", step.to_do))
    lines += [
        Rule(),
        Text(_("Técnico")),
        Space(2),
        Text(SIGN),
        Text(_("Recibe")),
        Space(2),
        Text(SIGN),
        Cut(),
    ]
    return Paper(PaperKind.FICHA, "", tuple(lines), language)
