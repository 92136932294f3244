"""Spanish words for the pages: days, moments, kinds of folio, and what a state means for a person."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from central.folios import FolioState
from municipio.facts import parse_time
from municipio.folio_words import long_date, month_name

FOLIO_KINDS = {
    "predial": "Pago de predial",
    "pase": "Pase de caja",
    "reporte": "Reporte ciudadano",
    "queja": "Queja ante la Contraloría",
    "cita": "Solicitud de cita",
    "apelacion": "Revisión de una página bloqueada",
    "doble": "Dos asuntos con un folio",
}

TROUBLES = {
    "changed-fact": "hecho cambiado",
    "duplicate-id": "identificador repetido",
    "unreadable": "ilegible",
}
"""Codes of tampering and quarantine, for the staff."""

NODE_STATES = {
    "waiting": "espera su aprobación",
    "active": "activo",
    "quarantined": "en cuarentena",
    "revoked": "revocado",
}

PAYMENT_STATES = {
    "posted": "registrado",
    "refund_owed": "devolución pendiente",
    "refunded": "devuelto",
    "unmatched": "sin liquidación",
}

_EXPLAINED = {
    "Pendiente": "La dependencia ya tiene su asunto. Todavía no lo atiende.",
    "Desarrollo": "La dependencia está trabajando en su asunto.",
    "Atendido": "La dependencia lo dio por atendido.",
    "No procede": "La dependencia respondió que no procede. Pida la razón con su folio.",
    "Pagado": "Su pago está registrado en Tesorería.",
    "En proceso": "El pago se empezó en el kiosco y todavía no termina.",
    "En verificación": "Estamos comprobando con el banco si el cobro se hizo. No pague otra vez.",
    "Rechazado": "El banco no aprobó el cobro. No se le cobró.",
    "Cancelado": "El pago se canceló. No se le cobró.",
    "Emitido": "El pase de caja se imprimió. El pago aparece aquí cuando el banco lo informa.",
    "Devolución en trámite": "Este adeudo ya estaba pagado. Tesorería le devolverá este pago.",
    "Acuda a ventanilla": "Por una falla del kiosco, dos comprobantes llevan este folio. Los dos asuntos "
    "están guardados y siguen su trámite. Para no mostrarle a usted el de otra persona, aquí no decimos más.",
    "Devuelto": "Tesorería le devolvió este pago.",
}


def state_said(state: str) -> str:
    """A state of SIAC as kiosk and portal say it to a citizen; any other as it is."""
    return {"Pendiente": "Pendiente de atención", "Desarrollo": "En desarrollo"}.get(state, state)


def day_in_words(day: date | str | None) -> str:
    """`20 de enero de 2026`; a text that is no ISO day, or None, is `sin fecha`."""
    try:
        known = date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError:
        known = None
    return "sin fecha" if known is None else long_date(known, str)


def month_in_words(month: str) -> str:
    """`enero de 2026` of `2026-01`."""
    return f"{month_name(int(month[5:]), str)} de {month[:4]}"


def day_of_moment(text: str, zone: ZoneInfo) -> str:
    """`20 de enero de 2026` of a moment, in the city's zone."""
    return day_in_words(parse_time(text).astimezone(zone).date())


def event_in_words(text: str, zone: ZoneInfo) -> str:
    """A day for what happened at midnight, which is how a day is told; a moment for the rest."""
    at = parse_time(text).astimezone(zone)
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        return at.strftime("%d/%m/%Y")
    return moment_in_words(text, zone)


def moment_in_words(text: str, zone: ZoneInfo) -> str:
    """`20/01/2026 10:42:07` in the city's zone, or `nunca` for an empty moment."""
    if not text:
        return "nunca"
    return parse_time(text).astimezone(zone).strftime("%d/%m/%Y %H:%M:%S")


def explain_state(found: FolioState) -> str:
    return _EXPLAINED.get(found.state, "")
