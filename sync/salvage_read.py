"""Read what can be read of a damaged ledger: from both ends of each table, and row by row in between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

Row = tuple[Any, ...]

MAX_PROBES = 20_000
"""Rows asked for one by one in a table's unreadable middle."""

KEYS: dict[str, tuple[str, ...]] = {
    "node": ("one",),
    "epoch": ("epoch",),
    "fact": ("lane", "epoch", "seq"),
    "chain": ("lane", "epoch"),
    "fact_problem": ("lane", "epoch", "seq"),
    "payment": ("number",),
    "folio": ("folio",),
    "print_job": ("number",),
    "cash_movement": ("number",),
    "cash_position": ("unit",),
    "attachment": ("sha256",),
    "damaged_fact": ("lane", "epoch", "seq"),
}
"""Every table of the ledger and its key, in the order in which a new file is filled."""


@dataclass(slots=True)
class Found:
    """Rows of one table by key, their columns, and whether something was in the way."""

    columns: tuple[str, ...] = ()
    rows: dict[Row, Row] = field(default_factory=dict)
    damaged: bool = False

    def dicts(self) -> Iterator[dict[str, Any]]:
        for key in sorted(self.rows, key=lambda k: (isinstance(k[0], str), k)):
            yield dict(zip(self.columns, self.rows[key], strict=True))


def read_all(path: Path) -> dict[str, Found]:
    """Every table of the file, as far as it can be read. Changes nothing; never fails."""
    connection = _open(path)
    if connection is None:
        return {table: Found(damaged=True) for table in KEYS}
    try:
        return {table: _read_table(connection, table, key) for table, key in KEYS.items()}
    finally:
        with contextlib.suppress(apsw.Error):
            connection.close()


def _open(path: Path) -> apsw.Connection | None:
    """With its log, or else the file alone; None when not even its first page makes sense."""
    for uri in (f"file:{path}?mode=rw", f"file:{path}?immutable=1"):
        try:
            flags = apsw.SQLITE_OPEN_READWRITE if "rw" in uri else apsw.SQLITE_OPEN_READONLY
            connection = apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)
        except apsw.Error:
            continue
        try:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.Error:
            with contextlib.suppress(apsw.Error):
                connection.close()
            continue
        return connection
    return None


def _read_table(db: apsw.Connection, table: str, key: tuple[str, ...]) -> Found:
    found = Found()
    try:
        info = db.execute(f"PRAGMA table_info({table})").fetchall()
    except apsw.Error:
        found.damaged = True
        return found
    found.columns = tuple(str(row[1]) for row in info)
    if not set(key) <= set(found.columns):
        return found
    places = [found.columns.index(name) for name in key]
    down = ", ".join(f"{name} DESC" for name in key)
    for order in (", ".join(key), down):
        if not _scan(db, f"SELECT * FROM {table} ORDER BY {order}", places, found):  # noqa: S608 - our names
            found.damaged = True
        elif order is not down:
            return found
    _probe(db, table, key, places, found)
    return found


def _scan(db: apsw.Connection, sql: str, places: list[int], found: Found) -> bool:
    """Take rows until the end or the first trouble; True at the end."""
    try:
        for row in db.execute(sql):
            key = tuple(row[i] for i in places)
            if len({type(part) for part in key}) == 1 and isinstance(key[0], int | str):
                found.rows[key] = row
    except apsw.Error:
        return False
    return True


def _probe(
    db: apsw.Connection, table: str, key: tuple[str, ...], places: list[int], found: Found
) -> None:
    """Ask for the numbers that lie between those that were read, where keys are numbers."""
    if not found.rows or not all(isinstance(k[-1], int) for k in found.rows):
        return
    where = " AND ".join(f"{name} = ?" for name in key)
    sql = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 - our names
    budget = MAX_PROBES
    for head in {k[:-1] for k in found.rows}:
        numbers = [k[-1] for k in found.rows if k[:-1] == head]
        for number in range(min(numbers), max(numbers)):
            wanted = (*head, number)
            if wanted in found.rows:
                continue
            budget -= 1
            if budget < 0:
                return
            with contextlib.suppress(apsw.Error):
                for row in db.execute(sql, wanted):
                    found.rows[tuple(row[i] for i in places)] = row
