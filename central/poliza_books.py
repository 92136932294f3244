"""Which movements belong to a day's póliza, and closing it so that it never changes again.

A closed póliza is reprinted from the movements that were in it. What arrives later for a closed day
(a node was off line for weeks) goes into the next one that is closed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from central.city import City
from central.poliza import (
    Chart,
    Deposit,
    Entry,
    Income,
    balance,
    deposit_entries,
    income_entries,
    to_csv,
)
from central.schema import liquidaciones, payments
from central.schema_money import poliza_items, polizas, settlement_lines
from central.store import Store, insert_missing
from municipio.facts import format_time, parse_time
from municipio.liquidacion import decode_liquidacion

_SETTLED = ("matched", "doubled", "returned")


class PolizaError(ValueError):
    """A póliza that cannot be closed, or that is not what was closed; fit for a terminal."""


@dataclass(frozen=True, slots=True)
class Poliza:
    """`late` movements are of days that were closed before; `waiting` movements of banks are in no
    póliza yet, because nobody knows what they are."""

    day: date
    entries: tuple[Entry, ...]
    closed_at: str
    late: int
    waiting: int


def poliza_of(store: Store, city: City, day: date, chart: Chart) -> Poliza:
    """The closed póliza of a day, or what it would be now. Raises PolizaError when a closed one is
    not what it was."""
    with store.begin() as connection:
        return _poliza(connection, city, day, chart)[0]


def close_poliza(store: Store, city: City, day: date, chart: Chart, at: datetime) -> Poliza:
    """Fix the póliza of a day that is over. Closing it again gives the same. Raises PolizaError."""
    if day >= at.astimezone(city.zone).date():
        raise PolizaError(f"{day} is not over yet")
    with store.begin() as connection:
        found, items = _poliza(connection, city, day, chart)
        if found.closed_at:
            return found
        last = _last_closed(connection, city.inegi)
        if last and day.isoformat() < last:
            raise PolizaError(f"{last} is closed already; pólizas are closed in order")
        charge, credit = balance(found.entries)
        assert charge == credit, "every movement balances by itself"
        row: dict[str, Any] = {"inegi": city.inegi, "day": day.isoformat()}
        row |= {
            "closed_at": format_time(at),
            "sha256": _digest(found),
            "lines": len(found.entries),
            "total_centavos": charge,
        }
        connection.execute(polizas.insert().values(row))
        rows = [{"inegi": city.inegi, "id": item, "day": day.isoformat()} for item in items]
        insert_missing(connection, poliza_items, rows)
        return _poliza(connection, city, day, chart)[0]


def _poliza(
    connection: Connection, city: City, day: date, chart: Chart
) -> tuple[Poliza, list[str]]:
    p = polizas.c
    mine = and_(p.inegi == city.inegi, p.day == day.isoformat())
    closed = connection.execute(select(polizas).where(mine)).first()
    last = _last_closed(connection, city.inegi)
    entries: list[Entry] = []
    items: list[str] = []
    late = 0
    for row in _payments(connection, city, day, closed is not None, last):
        paid = _day_of(row, city)
        items.append(f"payment:{row.fact_id}")
        entries += income_entries(_income(row, paid), chart)
        late += paid < day
    for row in _lines(connection, city, day, closed is not None, last):
        items.append(f"line:{row.id}")
        entries += deposit_entries(_deposit(row), chart)
        late += row.day < day.isoformat()
    s = settlement_lines.c
    open_lines = select(func.count()).where(
        s.inegi == city.inegi, s.state == "open", s.day <= day.isoformat()
    )
    waiting = connection.scalars(open_lines).one()
    closed_at = closed.closed_at if closed is not None else ""
    found = Poliza(day, tuple(entries), closed_at, late, waiting)
    if closed is not None and _digest(found) != closed.sha256:
        raise PolizaError(f"the póliza of {day} is not the one that was closed: other accounts?")
    return found, items


def _digest(found: Poliza) -> str:
    return hashlib.sha256(to_csv(found.day, found.entries).encode()).hexdigest()


def _last_closed(connection: Connection, inegi: str) -> str:
    found = connection.scalars(select(func.max(polizas.c.day)).where(polizas.c.inegi == inegi))
    return str(found.one() or "")


def _wanted(
    city: City,
    day: date,
    is_closed: bool,
    last: str,
    item: ColumnElement[str],
    own: Any,
    older: Any,
) -> ColumnElement[bool]:
    """Movements of a closed póliza by its list; otherwise the day's own and late ones, if in none."""
    i = poliza_items.c
    mine = select(i.id).where(i.inegi == city.inegi)
    if is_closed:
        return item.in_(mine.where(i.day == day.isoformat()))
    free = item.not_in(mine)
    return and_(free, or_(own, older) if last and last < day.isoformat() else own)


def _payments(
    connection: Connection, city: City, day: date, is_closed: bool, last: str
) -> list[Row[Any]]:
    p, issued = payments.c, liquidaciones.c
    item = "payment:" + p.fact_id
    own = or_(
        p.paid_on == day.isoformat(),
        and_(p.paid_on == "", p.posted_at >= _midnight(day, city), p.posted_at < _midnight(
            day + timedelta(days=1), city)),
    )  # fmt: skip
    after_last = date.fromisoformat(last) + timedelta(days=1) if last else day
    older = or_(
        and_(p.paid_on != "", p.paid_on <= last),
        and_(p.paid_on == "", p.posted_at < _midnight(after_last, city)),
    )
    wanted = and_(p.inegi == city.inegi, _wanted(city, day, is_closed, last, item, own, older))
    joined = payments.outerjoin(
        liquidaciones, and_(issued.inegi == p.inegi, issued.id == p.liquidacion_id)
    )
    rows = select(payments, issued.payload).select_from(joined).where(wanted)
    return list(connection.execute(rows.order_by(p.folio, p.fact_id)).all())


def _lines(
    connection: Connection, city: City, day: date, is_closed: bool, last: str
) -> list[Row[Any]]:
    s = settlement_lines.c
    own, older = s.day == day.isoformat(), s.day <= last
    wanted = _wanted(city, day, is_closed, last, "line:" + s.id, own, older)
    mine = and_(s.inegi == city.inegi, s.state.in_(_SETTLED), wanted)
    rows = select(settlement_lines).where(mine).order_by(s.subject, s.id)
    return list(connection.execute(rows).all())


def _income(row: Row[Any], paid: date) -> Income:
    owed_back = row.state in ("refund_owed", "refunded")
    known = row.payload is not None and row.state == "posted"
    liquidacion = decode_liquidacion(bytes(row.payload)) if known else None
    return Income(row.folio, row.method, row.amount_centavos, owed_back, paid, liquidacion)


def _deposit(row: Row[Any]) -> Deposit:
    money = (row.gross_centavos, row.commission_centavos, row.net_centavos)
    return Deposit(row.subject, row.kind, *money)


def _day_of(row: Row[Any], city: City) -> date:
    """The citizen's day; the day of posting when the node did not know it."""
    if row.paid_on:
        return date.fromisoformat(row.paid_on)
    return parse_time(row.posted_at).astimezone(city.zone).date()


def _midnight(day: date, city: City) -> str:
    return format_time(datetime.combine(day, time(), city.zone).astimezone(UTC))
