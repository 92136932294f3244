"""The requirements of a trámite, to tick off at home."""

from __future__ import annotations

from municipio.papers.common import Gettext, ending, qr_block
from municipio.receipts import Align, Check, Line, Pair, Paper, PaperKind, Rule, Size, Text
from municipio.settings import Settings
from municipio.tramites import Requirement, Tramite, copies_label, cost_label


def requisitos(
    settings: Settings,
    _: Gettext,
    *,
    tramite: Tramite,
    url: str,
    language: str = "es_MX",
) -> Paper:
    """What to bring, what it costs, how long it takes and where. `url` goes into the QR."""
    lines: list[Line] = [
        Text(settings.text("city.legal_name"), Align.CENTER, bold=True),
        Text(tramite.name, Align.CENTER, bold=True),
        Text(f"{tramite.dependency} · {tramite.id}", Align.CENTER, size=Size.SMALL),
        Rule(),
        Text(_("QUÉ LLEVAR"), bold=True),
        *_requirement_lines(tramite.requirements, _),
        Rule(),
        *_facts(tramite, _),
        *_legal(tramite, _),
        *qr_block(url, _("Vea este trámite en su teléfono.")),
        *ending(settings, _),
    ]
    return Paper(PaperKind.REQUISITOS, "", tuple(lines), language)


def _requirement_lines(requirements: tuple[Requirement, ...], _: Gettext) -> list[Line]:
    needed = [r for r in requirements if not r.held_by_government]
    held = [r for r in requirements if r.held_by_government]
    lines: list[Line] = [Check(r.name, _detail(r, _)) for r in needed]
    if not needed:
        lines.append(Text(_("No necesita llevar documentos.")))
    if held:
        names = ", ".join(r.name for r in held)
        text = _("El gobierno ya lo tiene y no se lo pueden pedir: {names}")
        lines.append(Text(text.format(names=names), size=Size.SMALL))
    return lines


def _detail(requirement: Requirement, _: Gettext) -> str:
    note = requirement.note[:1].upper() + requirement.note[1:]
    return ". ".join(part for part in (copies_label(requirement, _), note) if part)


def _facts(tramite: Tramite, _: Gettext) -> list[Line]:
    pairs = [
        (_("Costo"), cost_label(tramite.cost, _)),
        (_("Tiempo"), tramite.time_text),
        (_("Vigencia"), tramite.validity),
        (_("Horario"), tramite.hours),
        (_("Dónde"), tramite.place),
        (_("Teléfono"), tramite.phone),
    ]
    lines: list[Line] = [Pair(label, value) for label, value in pairs if value]
    if tramite.cost.note:
        lines.insert(1, Text(tramite.cost.note, size=Size.SMALL))
    return lines


def _legal(tramite: Tramite, _: Gettext) -> list[Line]:
    if not tramite.legal_basis:
        return []
    text = _("Fundamento: {laws}").format(laws="; ".join(tramite.legal_basis))
    return [Text(text, size=Size.SMALL)]
