"""What the staff page shows: nodes, the newest facts, tampering, quarantine, payments to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from central.city import City
from central.context import Central
from central.moments import Happened
from central.moments_read import moment_with_error, times_of
from central.nodes import NodeRow, list_nodes
from central.schema import facts, heads, payments, quarantine, tampering
from central.store import Store

NEWEST = 200
STRETCH = 500
"""Facts read per transaction."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One stored fact for people: `data` is its payload as compact JSON, `when` in words."""

    node: str
    epoch: int
    lane: str
    seq: int
    type: str
    when: str
    data: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Overview:
    nodes: tuple[NodeRow, ...]
    facts: tuple[FactRow, ...]
    tampering: Sequence[Row[Any]]
    quarantine: Sequence[Row[Any]]
    payments: Sequence[Row[Any]]


def overview(central: Central, node: str = "", lane: str = "") -> Overview:
    """The newest rows of each kind; `node` and `lane` narrow the facts only."""
    inegi = central.city.inegi
    nodes = list_nodes(central.store, inegi)
    with central.store.begin() as connection:
        t, q, p = tampering.c, quarantine.c, payments.c
        return Overview(
            nodes=nodes,
            facts=_newest_facts(connection, central.city, node, lane),
            tampering=connection.execute(
                select(tampering).where(t.inegi == inegi).order_by(t.last_seen_at.desc()).limit(50)
            ).all(),
            quarantine=connection.execute(
                select(quarantine).where(q.inegi == inegi).order_by(q.received_at.desc()).limit(50)
            ).all(),
            payments=connection.execute(
                select(payments)
                .where(p.inegi == inegi, or_(p.state != "posted", p.note != ""))
                .order_by(p.posted_at.desc())
                .limit(50)
            ).all(),
        )


def stored_facts(store: Store, inegi: str, node: str = "", lane: str = "") -> Iterator[bytes]:
    """Every stored fact as received, chain by chain in order, read a stretch at a time."""
    with store.begin() as connection:
        chains = connection.execute(_chains(inegi, node, lane)).all()
    for chain in chains:
        for first in range(1, chain.through + 1, STRETCH):
            wanted = facts.c.seq.between(first, first + STRETCH - 1)
            stretch = select(facts.c.raw).where(_inside(chain), wanted).order_by(facts.c.seq)
            with store.begin() as connection:
                raws = connection.scalars(stretch).all()
            yield from map(bytes, raws)


def _chains(inegi: str, node: str, lane: str) -> Select[Any]:
    """Heads of the asked chains by key; empty `node` or `lane` mean every one."""
    h = heads.c
    narrowed = [column == value for column, value in ((h.node, node), (h.lane, lane)) if value]
    mine = select(heads).where(h.inegi == inegi, *narrowed)
    return mine.order_by(h.node, h.epoch, h.lane)


def _inside(chain: Row[Any]) -> ColumnElement[bool]:
    names = ("inegi", "node", "epoch", "lane")
    return and_(*(facts.c[name] == getattr(chain, name) for name in names))


def _newest_facts(connection: Connection, city: City, node: str, lane: str) -> tuple[FactRow, ...]:
    """Chain by chain along the primary key, newest chain first, until no older one can matter."""
    chains = connection.execute(_chains(city.inegi, node, lane)).all()
    found: list[Row[Any]] = []
    for chain in sorted(chains, key=lambda row: str(row.updated_at), reverse=True):
        if len(found) >= NEWEST and found[NEWEST - 1].received_at > chain.updated_at:
            break
        some = select(facts).where(_inside(chain)).order_by(facts.c.seq.desc()).limit(NEWEST)
        found.extend(connection.execute(some))
        found.sort(key=lambda row: (row.received_at, row.seq), reverse=True)
    shown = found[:NEWEST]
    times = times_of(connection, city.inegi, shown)
    return tuple(_fact_row(r, times[r.node, r.epoch, r.lane, r.seq], city.zone) for r in shown)


def _fact_row(row: Row[Any], told: Happened, zone: ZoneInfo) -> FactRow:
    document = json.loads(bytes(row.raw))
    return FactRow(
        node=row.node,
        epoch=row.epoch,
        lane=row.lane,
        seq=row.seq,
        type=document["type"],
        when=moment_with_error(told, zone),
        data=json.dumps(document["data"], ensure_ascii=False)[:400],
        received_at=row.received_at,
    )
