"""Openings at the desks, taken into the city's audit trail: who looked at what is known in one place.

A desk's log is chained and signed by that desk. Rows are taken once; a log that does not go on from what
the city holds of that desk is refused and written down, because somebody changed one of the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from central.desk_log import ZERO, DeskLog, Opening
from central.rights_audit import note
from central.schema_fleet import audit, desk_logs
from central.store import Store, insert_missing, upsert
from municipio.facts import format_time

OPENED, ALTERED = "desk.opened", "desk.altered"


@dataclass(frozen=True, slots=True)
class LogTaken:
    """How many rows of that desk the city holds now, and the hash of the last."""

    rows: int
    head: str
    fresh: int


@dataclass(frozen=True, slots=True)
class LogRefused:
    """Another history than the one that the city holds; `rows` it holds stay as they are."""

    rows: int
    detail: str


def known_log(store: Store, inegi: str, office: str, desk: str) -> LogTaken:
    """How far the city knows a desk's log."""
    c = desk_logs.c
    mine = and_(c.inegi == inegi, c.office == office, c.desk == desk)
    with store.begin() as connection:
        row = connection.execute(select(desk_logs).where(mine)).first()
    return LogTaken(0, ZERO, 0) if row is None else LogTaken(row.rows, row.head, 0)


def take_log(store: Store, inegi: str, log: DeskLog, at: datetime) -> LogTaken | LogRefused:
    """Take what is new of a log whose signature was verified."""
    key = {"inegi": inegi, "office": log.office, "desk": log.desk}
    c = desk_logs.c
    mine = and_(*(c[name] == value for name, value in key.items()))
    begun = key | {"public": log.public, "head": ZERO, "at": format_time(at), "rows": 0}
    with store.begin() as connection:
        insert_missing(connection, desk_logs, [begun])
        held = connection.execute(select(desk_logs).where(mine).with_for_update()).one()
        fresh = _fresh(log, held.rows, held.head)
        if isinstance(fresh, str):
            who = f"{log.office}:{log.desk}"
            note(connection, inegi, who, ALTERED, at, detail=fresh)
            return LogRefused(held.rows, fresh)
        if not fresh:
            return LogTaken(held.rows, held.head, 0)
        insert_missing(connection, audit, [_row(inegi, log, row) for row in fresh])
        rows, head = held.rows + len(fresh), fresh[-1].hash
        upsert(connection, desk_logs, begun | {"rows": rows, "head": head})
    return LogTaken(rows, head, len(fresh))


def _fresh(log: DeskLog, rows: int, head: str) -> tuple[Opening, ...] | str:
    """The rows that the city does not hold, or why the log cannot be the same one."""
    last = log.first + len(log.rows) - 1
    if log.first > rows + 1:
        return f"rows {rows + 1} to {log.first - 1} are missing"
    if last < rows or not log.rows:
        return ()  # an older copy, or nothing
    before = log.rows[rows - log.first].hash if log.first <= rows else log.rows[0].prev
    if before != head:
        return f"row {rows} is not the one that the city holds"
    return log.rows[rows - log.first + 1 :]


def _row(inegi: str, log: DeskLog, row: Opening) -> dict[str, str]:
    digest = hashlib.sha256(f"{log.office} {log.desk} {row.hash}".encode()).hexdigest()
    return {
        "inegi": inegi,
        "id": digest[:32],
        "at": row.at,
        "who": _plain(f"{log.office}:{row.who}")[:200],
        "what": OPENED,
        "folio": row.folio,
        "detail": _plain(f"{row.why} [asunto {row.of}]" if row.of else row.why),
    }


def _plain(text: str) -> str:
    """A database of texts takes no NUL, and a list of rows no line breaks."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
