"""What the books say of reports and services to anybody who asks: only columns that name nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.sql.elements import ColumnElement

from central.cases import KIND, STATE
from central.city import City
from central.open311 import CLOSED, OPEN, STATUS_OF, OpenRequest, OpenService, Question
from central.schema import folios
from central.schema_fleet import case_events, reports, services
from central.store import Store
from municipio.facts import format_time
from municipio.identifiers import FolioProblem, parse_folio


def list_services(store: Store, inegi: str) -> list[OpenService]:
    s = services.c
    with store.begin() as connection:
        rows = connection.execute(select(services).where(s.inegi == inegi).order_by(s.name)).all()
    return [OpenService(row.code, row.name, row.dependency, row.keywords) for row in rows]


def find_service(store: Store, inegi: str, code: str) -> OpenService | None:
    return next((s for s in list_services(store, inegi) if s.code == code), None)


def find_requests(store: Store, city: City, asked: Question) -> list[OpenRequest]:
    """The newest first; ids, when there are some, and nothing else narrows."""
    f, r = folios.c, reports.c
    if asked.ids:
        wanted: list[ColumnElement[bool]] = [f.city_folio.in_(asked.ids)]
    else:
        wanted = [r.filed_at >= asked.since, r.filed_at < asked.until]
        if asked.services:
            wanted.append(r.service_code.in_(asked.services))
        if set(asked.statuses) == {CLOSED}:
            wanted.append(f.state.in_(STATUS_OF))
        if set(asked.statuses) == {OPEN}:
            wanted.append(f.state.not_in(STATUS_OF))
    order = (r.filed_at.desc(), f.folio.desc())
    with store.begin() as connection:
        found = _select(city.inegi).where(*wanted).order_by(*order)
        part = found.limit(asked.size).offset((asked.page - 1) * asked.size)
        return _read(connection, city, connection.execute(part).all())


def find_request(store: Store, city: City, name: str) -> OpenRequest | None:
    """By the city's number, or by the folio of the citizen's paper."""
    f = folios.c
    parsed = parse_folio(name)
    same = f.city_folio == name
    if not isinstance(parsed, FolioProblem):
        same = f.folio == parsed.text
    with store.begin() as connection:
        rows = connection.execute(_select(city.inegi).where(same).limit(1)).all()
        found = _read(connection, city, rows)
    return found[0] if found else None


def _select(inegi: str) -> Any:
    f, r, s = folios.c, reports.c, services.c
    joined = folios.join(reports, and_(r.inegi == f.inegi, r.folio == f.folio)).outerjoin(
        services, and_(s.inegi == r.inegi, s.code == r.service_code)
    )
    columns = (
        *(f.folio, f.city_folio, f.state, f.opened_on),
        *(r.service_code, r.channel, r.colonia, r.filed_at, s.name, s.dependency),
    )
    public = and_(f.inegi == inegi, f.kind == KIND, f.city_folio != "")
    return select(*columns).select_from(joined).where(public)


def _read(connection: Connection, city: City, rows: Sequence[Any]) -> list[OpenRequest]:
    e = case_events.c
    mine = and_(e.inegi == city.inegi, e.what == STATE, e.folio.in_([r.folio for r in rows]))
    asked = select(e.folio, func.max(e.at)).where(mine).group_by(e.folio)
    changed: dict[str, str] = {row[0]: row[1] for row in connection.execute(asked)} if rows else {}
    return [
        OpenRequest(
            number=row.city_folio,
            folio=row.folio,
            service_code=row.service_code,
            service_name=row.name or "",
            dependency=row.dependency or "",
            colonia=row.colonia,
            state=row.state,
            channel=row.channel,
            filed_at=row.filed_at or _midnight(row.opened_on, city.zone),
            updated_at=changed.get(row.folio, ""),
        )
        for row in rows
    ]


def _midnight(day: str, zone: ZoneInfo) -> str:
    """Of reports that are older than the corrected times."""
    known = datetime.fromisoformat(day or "2026-01-01").date()
    return format_time(datetime.combine(known, time(), zone))
