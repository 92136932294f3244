"""Folios that were given to two matters, remembered where it can happen: when a fact comes inside another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.folio_facts import INSIDE_ANOTHER, facts_about
from central.histories import matters_of, opened_by, told
from central.nodes import NodeState
from central.rights_facts import fact_id
from central.schema import facts, nodes
from central.schema_fleet import carried_folios
from central.store import insert_missing
from municipio.identifiers import Folio, FolioProblem, parse_folio

MOST_SHOWN = 50


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
    c, f = carried_folios.c, facts.c
    mine = select(c.fact_id).where(c.inegi == inegi, c.folio == folio.text)
    openers = set(connection.scalars(mine))
    if not openers:
        return False
    place = and_(f.inegi == inegi, f.node == folio.node_code, f.epoch == folio.epoch)
    here = and_(place, f.lane == folio.lane.value, f.seq == folio.seq)
    row = connection.execute(select(f.id, f.raw).where(here)).first()
    if row is not None and opened_by(bytes(row.raw), folio.node_code) == folio.text:
        openers.add(row.id)
    return len(openers) > 1


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
    c = carried_folios.c
    mine = select(c.folio).distinct().where(c.inegi == inegi, c.node == node).order_by(c.folio)
    found = []
    for text in connection.scalars(mine).all():
        parsed = parse_folio(text)
        if not isinstance(parsed, FolioProblem) and is_doubled(connection, inegi, parsed):
            found.append(text)
        if len(found) == MOST_SHOWN:
            break
    return tuple(found)


def is_in_doubt(connection: Connection, inegi: str, node: str) -> bool:
    """Two cards of this node speak, and the staff have not looked: whose folio is whose is not known."""
    n = nodes.c
    held = NodeState.QUARANTINED.value
    mine = select(n.node).where(n.inegi == inegi, n.node == node, n.state == held)
    return connection.execute(mine).first() is not None
