"""What a folio is about and how it stands, in plain words: kiosk and portal say the same. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from municipio.facts import Lane
from municipio.identifiers import FolioTrouble, make_folio
from municipio.search import fold
from municipio.usecases.folios import DOUBLED

Translate = Callable[[str], str]


def folio_kind(kind: str, _: Translate) -> str:
    """The matter of a folio; a kind that we do not know passes as it is."""
    words = {
        "predial": _("Pago de predial"),
        "reporte": _("Reporte ciudadano"),
        "pase": _("Pase de caja"),
        "apelacion": _("Revisión de una página bloqueada"),
        DOUBLED: _("Dos asuntos con este folio"),
    }
    return words.get(kind, kind)


def folio_state(state: str, _: Translate) -> str:
    """The state of a folio; a word of the city that we do not know passes as it is."""
    words = {
        "en_proceso": _("Pago en proceso"),
        "pagado": _("Pagado"),
        "rechazado": _("El banco no aceptó el pago. No se cobró."),
        "cancelado": _("Cancelado. No se cobró."),
        "en_verificacion": _("Pago en verificación. No vuelva a pagar."),
        "por_devolver": _("Hay dinero por devolverle: pregunte en Tesorería."),
        "recibido": _("Recibido en el kiosco"),
        "emitido": _("Pase de caja emitido"),
        "pendiente": _("Pendiente de atención"),
        "desarrollo": _("En desarrollo"),
        "atendido": _("Atendido"),
        "no_procede": _("No procede"),
        "acuda_a_ventanilla": _("Vaya a la ventanilla con su comprobante"),
    }
    return words.get(_plain(state), state)


def _plain(state: str) -> str:
    """`En verificación` to `en_verificacion`: the city writes its states for people."""
    return fold(state).strip().replace(" ", "_")


def folio_flaw(trouble: FolioTrouble | None, _: Translate) -> str:
    """Why what was typed cannot be a folio, for who typed it; empty for one that can."""
    match trouble:
        case FolioTrouble.CHECK:
            return _("Algún carácter no coincide. Compare el folio con su papel.")
        case FolioTrouble.SHAPE:
            return _("Eso no parece un folio. Escríbalo como está en su papel.")
    return ""


def example_folio(node_code: str) -> str:
    """A folio that this node could give, for a form: `COA007-R1-000123-E`."""
    return make_folio(node_code, Lane.REP, 1, 123)


def long_date(day: date, _: Translate) -> str:
    """`20 de enero de 2026`."""
    text = _("{day} de {month} de {year}")
    return text.format(day=day.day, month=month_name(day.month, _), year=day.year)


def month_name(month: int, _: Translate) -> str:
    """`enero` of 1."""
    months = (
        _("enero"), _("febrero"), _("marzo"), _("abril"), _("mayo"), _("junio"), _("julio"),
        _("agosto"), _("septiembre"), _("octubre"), _("noviembre"), _("diciembre"),
    )  # fmt: skip
    return months[month - 1]


def iso_date(text: str, _: Translate) -> str:
    """The long form of an ISO date or RFC 3339 moment from outside; any other text as it is."""
    try:
        return long_date(date.fromisoformat(text[:10]), _)
    except ValueError:
        return text
