"""What a fact adds to the indicators and to what is known of its node: pure, from bytes to values.

Reads leniently, as `effects` does: a member that is missing or odd counts as not told, never as an
error. Months are civil months of the city, by the fact's corrected time; a fact that may belong to
another month than the one it counts in is counted as undated too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central.effects import StoredFact
from central.moments import Happened, as_moment
from municipio.facts import (
    RECOVERED,
    FactError,
    FactType,
    decode_fact,
    encode_fact,
    format_time,
    parse_time,
)
from municipio.identifiers import make_folio


class What(StrEnum):
    """Kinds of counts. What each one counts is in the reference page of the indicators."""

    CONNECTIONS = "connections"
    RESUMED = "resumed"
    VISITS = "visits"
    VISIT_MINUTES = "visit_minutes"
    VISIT_MIB = "visit_mib"
    FEW_VISITS = "few_visits"
    TRANSACTIONS = "transactions"
    CENTAVOS = "centavos"
    PASES = "pases"
    RECEIPTS = "receipts"
    COMPLAINTS = "complaints"
    APPOINTMENTS = "appointments"
    APPEALS = "appeals"
    SURVEYS = "surveys"
    CONSULTED = "consulted"
    UNDATED = "undated"


_ONE_EACH = {
    FactType.PASE_ISSUED: What.PASES,
    FactType.RECEIPT_PRINTED: What.RECEIPTS,
    FactType.COMPLAINT_FILED: What.COMPLAINTS,
    FactType.APPOINTMENT_ASKED: What.APPOINTMENTS,
    FactType.FILTER_APPEALED: What.APPEALS,
    FactType.SURVEY_ANSWERED: What.SURVEYS,
}
_VITALS = (
    FactType.DEVICE_CHANGED,
    FactType.ENERGY_CHANGED,
    FactType.NODE_STARTED,
    FactType.NODE_CONTENT_CHANGED,
    FactType.NODE_CONFIGURED,
    FactType.NODE_UPDATED,
    FactType.NODE_UPDATE_RETURNED,
)
_TRAMITE = re.compile(r"[A-Z0-9-]{3,60}")
_MOST_TRAMITES = 1000
_RECOVERED = frozenset(RECOVERED.values())
MOST = 10**6
"""No hour of one plaza has more visits, minutes or MiB than fit here many times."""


@dataclass(frozen=True, slots=True)
class Count:
    month: str
    what: What
    part: str
    value: int


@dataclass(frozen=True, slots=True)
class Report:
    folio: str
    service_code: str
    channel: str
    month: str
    colonia: str = ""
    filed_at: str = ""
    """The corrected time, RFC 3339 UTC."""


@dataclass(frozen=True, slots=True)
class Vital:
    """One part of a node. `since` is when it became so, empty when the node did not know the time."""

    name: str
    state: str
    cause: str
    detail: str
    since: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one stored fact adds. `inside` is the id of the fact that travelled in it, if one did."""

    id: str
    timequality: str
    time: str
    inside: str = ""
    counts: tuple[Count, ...] = ()
    report: Report | None = None
    vital: Vital | None = None


class _Stored(StoredFact):
    timequality: str = ""


_DECODER = msgspec.json.Decoder(_Stored)


def read(
    raw: bytes, received_at: str, node: str, zone: ZoneInfo, told: Happened | None = None
) -> Reading:
    """`received_at` is the moment of arrival (RFC 3339 UTC), `told` when the fact happened.

    A fact that travelled inside another one counts by its own time, or by the arrival.
    """
    fact = _DECODER.decode(raw)
    heard = Reading(fact.id, fact.timequality, fact.time or "")
    inside = ""
    if fact.type in _RECOVERED:
        found = _inner(fact, node)
        if found is None:
            return heard
        fact, inside = found, found.id
    if fact.type in _VITALS:
        return replace(heard, inside=inside, vital=_vital(fact))
    moment = fact.time or received_at
    month, is_dated = month_of(moment, zone), fact.time is not None
    if told is not None and not inside and not (told.is_sure and fact.time is not None):
        moment = format_time(told.moment)
        month, is_dated = month_told(told, zone)
    is_report = fact.type is FactType.REPORT_FILED
    report = _report(fact, node, month, moment) if is_report else None
    counts = tuple(Count(month, *count) for count in _counts(fact))
    if not is_dated and (counts or report):
        counts = (*counts, Count(month, What.UNDATED, fact.lane.value, 1))
    return replace(heard, inside=inside, counts=counts, report=report)


def month_told(told: Happened, zone: ZoneInfo) -> tuple[str, bool]:
    """The month that a fact counts in, and whether it can be no other."""
    month = _month(told.moment, zone)
    if told.is_sure:
        return month, True
    ends = (as_moment(told.bound.earliest_ms), as_moment(told.bound.latest_ms))
    return month, all(_month(end, zone) == month for end in ends)


def _month(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m")


def month_of(moment: str, zone: ZoneInfo) -> str:
    """`2026-11`, in the city's zone."""
    return _month(parse_time(moment), zone)


def civil(moment: str, zone: ZoneInfo) -> datetime:
    return parse_time(moment).astimezone(zone)


def _inner(fact: _Stored, node: str) -> _Stored | None:
    """The fact that travelled inside, if it is one of this node."""
    inner = fact.data.get("fact")
    try:
        found = decode_fact(inner.encode()) if isinstance(inner, str) else None
    except (FactError, UnicodeEncodeError):
        return None
    if found is None or found.type in _RECOVERED or not found.source.endswith(f":{node}"):
        return None
    return _DECODER.decode(encode_fact(found))


def _counts(fact: _Stored) -> tuple[tuple[What, str, int], ...]:
    one = _ONE_EACH.get(fact.type)
    if one is not None:
        return ((one, "", 1),)
    if fact.type is FactType.TERMS_ACCEPTED:
        if fact.data.get("resumed") is True:
            return ((What.RESUMED, "", 1),)
        return ((What.CONNECTIONS, _word(fact.data, "language")[:8], 1),)
    if fact.type is FactType.VISIT_ENDED:
        return _visits(fact.data)
    if fact.type is FactType.TRAMITE_CONSULTED:
        return _consulted(fact.data)
    return ()


def _consulted(data: dict[str, Any]) -> tuple[tuple[What, str, int], ...]:
    told = data.get("consulted")
    if not isinstance(told, dict) or len(told) > _MOST_TRAMITES:
        return ()
    counts = ((name, _number(told, name)) for name in told if _TRAMITE.fullmatch(name))
    return tuple((What.CONSULTED, name, count) for name, count in counts if count)


def _visits(data: dict[str, Any]) -> tuple[tuple[What, str, int], ...]:
    visits = _number(data, "visits")
    if visits is None:
        return ((What.FEW_VISITS, "", 1),)
    told = ((What.VISITS, visits), (What.VISIT_MINUTES, _number(data, "minutes")))
    all_told = (*told, (What.VISIT_MIB, _number(data, "mib")))
    return tuple((what, "", value) for what, value in all_told if value)


def _report(fact: _Stored, node: str, month: str, moment: str) -> Report:
    folio = _word(fact.data, "folio") or make_folio(node, fact.lane, fact.epoch, fact.seq)
    service, channel = _word(fact.data, "service_code"), _word(fact.data, "channel")
    return Report(folio, service, channel, month, _word(fact.data, "colonia"), moment)


def _vital(fact: _Stored) -> Vital | None:
    data, at = fact.data, fact.time or ""
    place = (at, fact.epoch, fact.seq)
    if fact.type is FactType.NODE_STARTED:
        return Vital("node", _word(data, "version"), _word(data, "reason"), "", *place)
    if fact.type is FactType.NODE_CONTENT_CHANGED:
        return Vital("content", _word(data, "content"), "", _word(data, "filter_list"), *place)
    if fact.type is FactType.NODE_CONFIGURED:
        state = "ready" if data.get("state") == "applied" else "attention"
        return Vital("settings", state, _word(data, "cause"), _word(data, "state"), *place)
    if fact.type is FactType.NODE_UPDATED:
        return Vital("update", "ready", "", _word(data, "version"), *place)
    if fact.type is FactType.NODE_UPDATE_RETURNED:
        return Vital("update", "attention", _word(data, "cause"), _word(data, "back_to"), *place)
    if fact.type is FactType.ENERGY_CHANGED:
        soc = _number(data, "soc_percent")
        percent = "" if soc is None or soc > 100 else str(soc)
        level = _word(data, "level")
        return Vital("energy", level, _word(data, "confidence"), percent, *place) if level else None
    device, state = _word(data, "device"), _word(data, "state")
    if not device or not state:  # money without an owner is no state of a device
        return None
    return Vital(f"device:{device}", state, _word(data, "cause"), "", *place)


def _word(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value[:80] if isinstance(value, str) and value.isprintable() else ""


def _number(data: dict[str, Any], name: str) -> int | None:
    value = data.get(name)
    return value if type(value) is int and 0 <= value <= MOST else None
