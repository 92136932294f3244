"""The facts of one folio: the one that opened it, those that name it, and those that carry one that does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, func, literal, or_, select

from central.rights_facts import folio_of
from municipio.identifiers import Folio

INSIDE_ANOTHER = b".recovered"
"""In the type of every fact that carries another."""


def facts_about(connection: Connection, inegi: str, folio: Folio, table: Any) -> list[Row[Any]]:
    """In order of epoch and number; `table` is `facts` or `quarantine`. Reads the node's whole lane."""
    c = table.c
    place = and_(c.epoch == folio.epoch, c.seq == folio.seq)
    contains = [_contains(connection, c.raw, n) for n in (folio.text.encode(), INSIDE_ANOTHER)]
    mine = and_(c.inegi == inegi, c.node == folio.node_code, c.lane == folio.lane.value)
    found = connection.execute(
        select(table).where(mine, or_(place, *contains)).order_by(c.epoch, c.seq)
    )
    return [row for row in found if folio_of(bytes(row.raw), row.node) == folio.text]


def _contains(connection: Connection, column: Any, needle: bytes) -> Any:
    if connection.dialect.name == "postgresql":
        return func.pg_catalog.position(column, literal(needle)) > 0
    return func.instr(column, literal(needle)) > 0
