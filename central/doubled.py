"""Folios that were given to two matters, remembered where it can happen: when a fact comes inside another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from central.folio_facts import INSIDE_ANOTHER, facts_about
from central.histories import matters_of, opened_by, told
from central.nodes import NodeState
from central.rights_facts import fact_id
from central.schema import facts, nodes
from central.schema_fleet import carried_folios
from central.store import insert_missing
from municipio.identifiers import Folio, FolioProblem, parse_folio

MOST_SHOWN = 50
AT_ONCE = 200
"""Places in one question to the database."""


def note_carried(connection: Connection, chain: Row[Any], rows: Iterable[Any]) -> None:
    """Remember which folios were opened inside another fact. Rows have `raw`."""
    opened = [
        {"inegi": chain.inegi, "node": chain.node, "folio": folio, "fact_id": id}
        for row in rows
        if INSIDE_ANOTHER in (raw := bytes(row.raw))
        and (id := fact_id(row))
        and (folio := opened_by(raw, chain.node))
    ]
    if opened:
        insert_missing(connection, carried_folios, opened)


def is_doubled(connection: Connection, inegi: str, folio: Folio) -> bool:
    """Did two facts open this folio?"""
    return bool(_doubled(connection, inegi, carried_folios.c.folio == folio.text))


def is_one_matter(connection: Connection, inegi: str, text: str, one: str, other: str) -> bool:
    """Do two facts (by id) that name this folio speak of the same matter?"""
    folio = parse_folio(text)
    if isinstance(folio, FolioProblem) or not is_doubled(connection, inegi, folio):
        return True
    rows = facts_about(connection, inegi, folio, facts)
    known = [told(bytes(row.raw), row.node, row.epoch) for row in rows]
    names = {fact.id: name for fact, name in zip(known, matters_of(known), strict=True)}
    return names.get(one, one) == names.get(other, other)


def doubled_folios(connection: Connection, inegi: str, node: str) -> tuple[str, ...]:
    """The folios of a node that the staff must tell apart, the first ones of many."""
    return _doubled(connection, inegi, carried_folios.c.node == node)[:MOST_SHOWN]


def _doubled(connection: Connection, inegi: str, which: ColumnElement[bool]) -> tuple[str, ...]:
    """Of the folios that were opened inside another fact, those that two facts opened; in order."""
    c = carried_folios.c
    openers: dict[str, set[str]] = {}
    for text, id in connection.execute(select(c.folio, c.fact_id).where(c.inegi == inegi, which)):
        openers.setdefault(text, set()).add(id)
    parsed = [folio for text in openers if isinstance(folio := parse_folio(text), Folio)]
    for first in range(0, len(parsed), AT_ONCE):
        for text, id in _opened_in_place(connection, inegi, parsed[first : first + AT_ONCE]):
            openers[text].add(id)
    return tuple(sorted(text for text, ids in openers.items() if len(ids) > 1))


def _opened_in_place(
    connection: Connection, inegi: str, folios: Sequence[Folio]
) -> Iterator[tuple[str, str]]:
    """Folio and fact of those that the fact at their own place opened."""
    f = facts.c
    places = [(x.node_code, x.epoch, x.lane.value, x.seq) for x in folios]
    here = tuple_(f.node, f.epoch, f.lane, f.seq).in_(places)
    wanted = {folio.text for folio in folios}
    for row in connection.execute(select(f.node, f.id, f.raw).where(f.inegi == inegi, here)):
        text = opened_by(bytes(row.raw), row.node)
        if text in wanted:
            yield text, row.id


def is_in_doubt(connection: Connection, inegi: str, node: str) -> bool:
    """Two cards of this node speak, and the staff have not looked: whose folio is whose is not known."""
    n = nodes.c
    held = NodeState.QUARANTINED.value
    mine = select(n.node).where(n.inegi == inegi, n.node == node, n.state == held)
    return connection.execute(mine).first() is not None
