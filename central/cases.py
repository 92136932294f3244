"""Where a report stands over time: the states that SIAC gave it and the photos that came later.

Each change is kept once, however often its file is imported, and the newest decides; a change for a
folio that no node has delivered yet waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, select

from central.effects import Photo
from central.schema import folios
from central.schema_fleet import case_events
from central.siac_file import BadRow, StateRow, read_states
from central.store import Store, insert_new, update_many
from municipio.facts import format_time, parse_time

STATE, PHOTO = "state", "photo"
KIND = "reporte"
_STEP = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """`fresh` changes are new to the city, `waiting` of them name a folio that is not here yet."""

    rows: int
    fresh: int
    waiting: int
    bad: tuple[BadRow, ...]


def import_states(
    store: Store, inegi: str, raw: bytes, name: str, zone: ZoneInfo, now: datetime
) -> Imported:
    """Take every good row of a file. Raises SiacFileError when the file has none to read."""
    good: list[StateRow] = []
    bad: list[BadRow] = []
    for row in read_states(raw, zone, now):
        (good if isinstance(row, StateRow) else bad).append(row)  # type: ignore[arg-type]
    fresh, waiting, read = 0, 0, len(good) + len(bad)
    for start in range(0, len(good), _STEP):
        with store.begin() as connection:
            step = _take(connection, inegi, good[start : start + _STEP], name, zone, now)
        fresh, waiting = fresh + step.fresh, waiting + step.waiting
        bad.extend(step.bad)
    return Imported(read, fresh, waiting, tuple(sorted(bad, key=lambda b: b.line)))


def _take(
    connection: Connection,
    inegi: str,
    rows: Sequence[StateRow],
    name: str,
    zone: ZoneInfo,
    now: datetime,
) -> Imported:
    known = _resolved(connection, inegi, {row.folio for row in rows})
    events: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    waiting = 0
    for row in rows:
        folio, kind = known.get(row.folio, (row.folio, ""))
        if not kind and row.folio.count("-") == 1:
            bad.append(_refused(row, "la ciudad no ha dado ese número"))
            continue
        if kind not in ("", KIND):
            bad.append(_refused(row, "no es un reporte ciudadano"))
            continue
        event = {"inegi": inegi, "folio": folio, "at": row.at, "what": STATE, "detail": row.state}
        noted = {"source": name[:200], "noted_at": format_time(now), "line": row.line}
        events.append(event | noted)
        waiting += not kind
    new = insert_new(connection, case_events, _once(events), case_events.c.folio)
    apply_states(connection, inegi, {row["folio"] for row in events}, zone)
    return Imported(len(rows), len(new), waiting, tuple(bad))


def _once(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same change said twice in a file is one."""
    keyed = {(e["folio"], e["at"], e["detail"]): e for e in events}
    return list(keyed.values())


def _refused(row: StateRow, why: str) -> BadRow:
    return BadRow(row.line, why, (row.folio, row.state, row.at))


def _resolved(
    connection: Connection, inegi: str, texts: Iterable[str]
) -> dict[str, tuple[str, str]]:
    """Folio and kind of each folio or number of the city that is in the books."""
    f = folios.c
    wanted = sorted(texts)
    found: dict[str, tuple[str, str]] = {}
    for column in (f.folio, f.city_folio):
        mine = select(f.folio, f.city_folio, f.kind).where(f.inegi == inegi, column.in_(wanted))
        for folio, city_folio, kind in connection.execute(mine):
            found[folio if column is f.folio else city_folio] = (folio, kind)
    return found


def apply_states(
    connection: Connection, inegi: str, changed: Iterable[str], zone: ZoneInfo
) -> None:
    """Let the newest change of each of these folios be its state, where SIAC said one."""
    names = sorted(set(changed))
    if not names:
        return
    e = case_events.c
    mine = and_(e.inegi == inegi, e.folio.in_(names), e.what == STATE)
    newest: dict[str, Row[Any]] = {}
    for row in connection.execute(select(case_events).where(mine)):
        held = newest.get(row.folio)
        if held is None or _age(held) <= _age(row):
            newest[row.folio] = row
    rows = [
        {"inegi": inegi, "folio": folio, "state": row.detail, "updated_on": _day(row.at, zone)}
        for folio, row in sorted(newest.items())
    ]
    update_many(connection, folios, ("inegi", "folio"), rows)


def _day(moment: str, zone: ZoneInfo) -> str:
    return parse_time(moment).astimezone(zone).date().isoformat()


def _age(row: Row[Any]) -> tuple[str, str, int]:
    return row.at, row.noted_at, row.line


def note_photos(connection: Connection, inegi: str, photos: Sequence[Photo], noted_at: str) -> None:
    """Remember that photos came for their reports."""
    events = [
        {
            "inegi": inegi,
            "folio": photo.folio,
            "at": photo.at or noted_at,
            "what": PHOTO,
            "detail": photo.fact_id,
            "source": "",
            "noted_at": noted_at,
            "line": 0,
        }
        for photo in photos
    ]
    insert_new(connection, case_events, events, case_events.c.folio)


def events_of(connection: Connection, inegi: str, folio: str) -> Sequence[Row[Any]]:
    """What happened to a matter, oldest first."""
    e = case_events.c
    mine = select(case_events).where(e.inegi == inegi, e.folio == folio)
    return connection.execute(mine.order_by(e.at, e.noted_at, e.line)).all()


def waiting_states(store: Store, inegi: str) -> Sequence[Row[Any]]:
    """Changes whose folio no node has delivered yet."""
    e, f = case_events.c, folios.c
    joined = case_events.outerjoin(folios, and_(f.inegi == e.inegi, f.folio == e.folio))
    mine = and_(e.inegi == inegi, e.what == STATE, f.folio.is_(None))
    with store.begin() as connection:
        asked = select(case_events).select_from(joined).where(mine).order_by(e.folio, e.at)
        return connection.execute(asked).all()
