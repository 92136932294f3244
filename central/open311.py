"""Open311 GeoReport v2, the pure part: questions parsed, documents made, as XML and as JSON.

What is public of a report: its number, its service and who attends it, its colonia when it is one of the
city's list, its state, and the hour in which it was filed. What a person wrote, phones, streets, photos and
places on a map are sealed to the office that attends it, and nobody here can read them. Hours are whole in
answers and in questions, so that nobody at a plaza can tell by the minute whose report it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from municipio.facts import format_time, parse_time

FORMATS = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
MOST_DAYS = 90
MOST_ROWS = 1000
OPEN, CLOSED = "open", "closed"
STATUS_OF = {"Atendido": CLOSED, "No procede": CLOSED}
"""Of the states of SIAC; every other is open."""
CITYSDK_OF = {
    "Pendiente": "RECEIVED",
    "Desarrollo": "IN_PROCESS",
    "Atendido": "PROCESSED",
    "No procede": "REJECTED",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Document = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of GeoReport v2: 400, 403 or 404, and why."""

    status: int
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """What `GET requests` asks for. Moments are RFC 3339 UTC; `until` is not in it."""

    ids: tuple[str, ...]
    services: tuple[str, ...]
    statuses: tuple[str, ...]
    since: str
    until: str
    page: int
    size: int


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One report as anybody may see it; moments are RFC 3339 UTC."""

    number: str
    folio: str
    service_code: str
    service_name: str
    dependency: str
    colonia: str
    state: str
    channel: str
    filed_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class OpenService:
    code: str
    name: str
    dependency: str
    keywords: str


def parse_question(asked: Mapping[str, str], now: datetime) -> Question | Refusal:
    """The filters of `GET requests`; without dates the last ninety days."""
    statuses = _words(asked.get("status", ""))
    if not set(statuses) <= {OPEN, CLOSED}:
        return Refusal(400, "status is open, closed or both")
    days = _span(asked.get("start_date", ""), asked.get("end_date", ""), now)
    if isinstance(days, Refusal):
        return days
    page, size = (_number(asked.get(n, ""), m) for n, m in (("page", 1), ("page_size", MOST_ROWS)))
    if page is None or size is None or not 1 <= page <= 10**6 or not 1 <= size <= MOST_ROWS:
        return Refusal(400, f"page counts from 1, page_size up to {MOST_ROWS}")
    ids, services = (_words(asked.get(n, "")) for n in ("service_request_id", "service_code"))
    if len(ids) > MOST_ROWS or len(services) > MOST_ROWS:
        return Refusal(400, f"no more than {MOST_ROWS} at once")
    return Question(ids, services, statuses, format_time(days[0]), format_time(days[1]), page, size)


def _span(start: str, end: str, now: datetime) -> tuple[datetime, datetime] | Refusal:
    first, last = _moment(start), _moment(end)
    if (start and first is None) or (end and last is None):
        return Refusal(400, "dates are ISO 8601 with a zone, such as 2026-01-20T00:00:00-06:00")
    most = timedelta(days=MOST_DAYS)
    until = last or (now if first is None else min(first + most, now))
    since = first or until - most
    if until - since > most + timedelta(hours=1):
        return Refusal(400, f"no more than {MOST_DAYS} days at once")
    return _hour(since), _hour(until + timedelta(hours=1) - timedelta(microseconds=1))


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        return None
    return at if at.tzinfo is not None and 2000 <= at.year <= 9000 else None


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _number(text: str, missing: int) -> int | None:
    if not text:
        return missing
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def request_document(found: OpenRequest, zone: ZoneInfo, *, more: bool) -> dict[str, Any]:
    """One request with every member of the standard; `more` adds our own."""
    document: dict[str, Any] = {
        "service_request_id": found.number,
        "status": STATUS_OF.get(found.state, OPEN),
        "status_notes": found.state,
        "service_name": found.service_name or found.service_code,
        "service_code": found.service_code,
        "description": None,
        "agency_responsible": found.dependency or None,
        "service_notice": None,
        "requested_datetime": _told(found.filed_at, zone),
        "updated_datetime": _told(found.updated_at or found.filed_at, zone),
        "expected_datetime": None,
        "address": found.colonia or None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }
    if more:
        state = CITYSDK_OF.get(found.state)
        document["extended_attributes"] = {"detailed_status": state, "channel": found.channel}
    return document


def _told(moment: str, zone: ZoneInfo) -> str:
    return _hour(parse_time(moment)).astimezone(zone).isoformat()


def service_document(service: OpenService, *, takes: bool) -> dict[str, Any]:
    """`takes`: requests may be filed here, and each asks the same few things."""
    return {
        "service_code": service.code,
        "service_name": service.name,
        "description": f"{service.name}. Lo atiende: {service.dependency}.",
        "metadata": takes,
        "type": "batch",
        "keywords": service.keywords,
        "group": service.dependency,
    }


ATTRIBUTES = (
    ("colonia", "Colonia", True),
    ("calle", "Calle y número", True),
    ("entre", "Entre qué calles", False),
)


def definition_document(code: str) -> dict[str, Any]:
    attributes = [
        {
            "variable": True,
            "code": name,
            "datatype": "string",
            "required": required,
            "datatype_description": "Texto; viaja sellado a la oficina que atiende",
            "order": order,
            "description": words,
            "values": [],
        }
        for order, (name, words, required) in enumerate(ATTRIBUTES, start=1)
    ]
    return {"service_code": code, "attributes": attributes}


def discovery_document(base: str, contact: str, changed: str) -> dict[str, Any]:
    return {
        "changeset": changed,
        "contact": contact,
        "key_service": contact,
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": base,
                "changeset": changed,
                "type": "production",
                "formats": [kind.partition(";")[0] for kind in FORMATS.values()],
            }
        ],
    }


def encode(format: str, names: tuple[str, ...], document: Document) -> bytes:
    """`names` are the XML names of the whole and, for a list, of each of its rows."""
    if format == "json":
        return json.dumps(document, ensure_ascii=False).encode()
    root = _element(names[0], document, names[1:])
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


_ROWS = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}


def _element(name: str, value: Any, rows: tuple[str, ...] = ()) -> ElementTree.Element:
    made = ElementTree.Element(name)
    if isinstance(value, Mapping):
        made.extend(_element(str(key), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple):
        row = rows[0] if rows else _ROWS.get(name, "item")
        made.extend(_element(row, inner) for inner in value)
    elif isinstance(value, bool):
        made.text = "true" if value else "false"
    elif value is not None:
        made.text = _NOT_XML.sub("", str(value))
    return made
