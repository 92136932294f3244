"""What a fact means to the city's books: pure, from fact to values.

Reads leniently, because a fact that is in the chain must be accounted for even when a field is
missing: what cannot be posted becomes a payment for the staff to look at, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central.moments import Happened
from municipio.facts import (
    RECOVERED,
    FactError,
    FactType,
    Lane,
    decode_fact,
    encode_fact,
    format_time,
    parse_time,
)
from municipio.identifiers import FolioProblem, make_folio, parse_folio

_REPORT_STATES = {
    FactType.REPORT_FILED: ("reporte", "Pendiente"),
    FactType.COMPLAINT_FILED: ("queja", "Pendiente"),
    FactType.APPOINTMENT_ASKED: ("cita", "Pendiente"),
    FactType.FILTER_APPEALED: ("apelacion", "Pendiente"),
}
_PAYMENT_STATES = {
    FactType.PAYMENT_INTENDED: ("predial", "En proceso"),
    FactType.PAYMENT_UNKNOWN: ("predial", "En verificación"),
    FactType.PASE_ISSUED: ("pase", "Emitido"),
}
_ENDS_WITHOUT_MONEY = {
    "declined": "Rechazado",
    "cancelled": "Cancelado",
    "refund_owed": "Devolución en trámite",  # cash that was cut short: no posting, the debt stands
}
LANES_WITH_EFFECTS = (Lane.PAY.value, Lane.REP.value)
DAY_KNOWN_MS = 6 * 3600 * 1000
"""A moment with a greater error than this names no day."""

_SERIES = {"reporte": "SIAC", "queja": "CI"}
"""Prefix of the number that the city gives to a matter; the others keep the node's folio alone."""


@dataclass(frozen=True, slots=True)
class Matter:
    """A folio and where it stands, in the city's words. `series` asks for a number of the city."""

    folio: str
    kind: str
    state: str
    on: str
    series: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """Money that a node took. `paid_on` is an ISO date, empty when the node did not know the time."""

    fact_id: str
    folio: str
    clave: str
    liquidacion_id: str
    amount_centavos: int
    method: str
    paid_on: str


@dataclass(frozen=True, slots=True)
class Photo:
    """A sealed photo that came for a report after it. `at` is RFC 3339 UTC, empty when not known."""

    folio: str
    fact_id: str
    at: str


Effect = Matter | Posting | Photo


class StoredFact(msgspec.Struct):
    """What the books need of a fact that ingest already checked; other members are skipped."""

    id: str
    type: FactType
    epoch: int
    lane: Lane
    seq: int
    data: dict[str, Any]
    time: str | None = None


_DECODER = msgspec.json.Decoder(StoredFact)


def effects_of(
    raw: bytes, node: str, zone: ZoneInfo, told: Happened | None = None
) -> tuple[Effect, ...]:
    """Zero or more effects of a stored fact's bytes, in the order in which they are applied.

    `told` is when it happened; without it the fact's own time is taken.
    """
    fact = _DECODER.decode(raw)
    if fact.type in RECOVERED.values():
        return _recovered_effects(fact, node, zone)
    if fact.type is FactType.REPORT_PHOTO_ADDED:
        return _photo(fact, node, told)
    folio = _text(fact, "folio") or make_folio(node, fact.lane, fact.epoch, fact.seq)
    on = _day(fact, told, zone)
    known = _REPORT_STATES.get(fact.type) or _PAYMENT_STATES.get(fact.type)
    if known:
        kind, state = known
        return (Matter(folio, kind, state, on, _SERIES.get(kind, "")),)
    if fact.type is FactType.PAYMENT_TAKEN or _resolved_as(fact) == "taken":
        return (Matter(folio, "predial", "Pagado", on), _posting(fact, folio, on))
    ended = _ENDS_WITHOUT_MONEY.get(_resolved_as(fact))
    return (Matter(folio, "predial", ended, on),) if ended else ()


def _photo(fact: StoredFact, node: str, told: Happened | None) -> tuple[Effect, ...]:
    """Only for a folio of the node that sends it."""
    parsed = parse_folio(_text(fact, "folio"))
    if isinstance(parsed, FolioProblem) or parsed.node_code != node:
        return ()
    at = fact.time or "" if told is None else format_time(told.moment)
    return (Photo(parsed.text, fact.id, at),)


def _day(fact: StoredFact, told: Happened | None, zone: ZoneInfo) -> str:
    """The civil day, empty when it may well be another one."""
    moment = None if fact.time is None else parse_time(fact.time)
    if told is not None and not told.is_sure:
        moment = told.moment if told.bound.error_ms <= DAY_KNOWN_MS else None
    return "" if moment is None else moment.astimezone(zone).date().isoformat()


def _recovered_effects(fact: StoredFact, node: str, zone: ZoneInfo) -> tuple[Effect, ...]:
    """Those of the fact inside: another place in another chain, the same id, folio and time."""
    inner = fact.data.get("fact")
    try:
        found = decode_fact(inner.encode()) if isinstance(inner, str) else None
    except (FactError, UnicodeEncodeError):
        found = None
    if found is None or found.type in RECOVERED.values() or not found.source.endswith(f":{node}"):
        return ()
    return effects_of(encode_fact(found), node, zone)


def _posting(fact: StoredFact, folio: str, on: str) -> Posting:
    amount = fact.data.get("amount_centavos")
    return Posting(
        fact_id=fact.id,
        folio=folio,
        clave=_text(fact, "clave"),
        liquidacion_id=_text(fact, "liquidacion_id"),
        amount_centavos=amount if type(amount) is int and 0 <= amount < 2**53 else 0,
        method=_text(fact, "method"),
        paid_on=on,
    )


def _resolved_as(fact: StoredFact) -> str:
    """How an unknown payment ended: `taken`, `declined`, `cancelled`, or empty for other facts."""
    if fact.type is not FactType.PAYMENT_RESOLVED:
        return ""
    return _text(fact, "state") or _text(fact, "outcome")


def _text(fact: StoredFact, name: str) -> str:
    value: Any = fact.data.get(name)
    if not isinstance(value, str) or not value.isprintable():
        return ""  # PostgreSQL stores no NUL, and no identifier of ours has control characters
    return value[:200]
