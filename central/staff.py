"""What the staff page shows: nodes, the newest facts, tampering, quarantine, payments to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from central.context import Central
from central.nodes import NodeRow, list_nodes
from central.schema import facts, heads, payments, quarantine, tampering

NEWEST = 200


@dataclass(frozen=True, slots=True)
class FactRow:
    """One stored fact for people: `data` is its payload as compact JSON."""

    node: str
    epoch: int
    lane: str
    seq: int
    type: str
    time: str
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
            facts=_newest_facts(connection, inegi, node, lane),
            tampering=connection.execute(
                select(tampering).where(t.inegi == inegi).order_by(t.last_seen_at.desc()).limit(50)
            ).all(),
            quarantine=connection.execute(
                select(quarantine).where(q.inegi == inegi).order_by(q.received_at.desc()).limit(50)
            ).all(),
            payments=connection.execute(
                select(payments)
                .where(p.inegi == inegi, p.state != "posted")
                .order_by(p.posted_at.desc())
                .limit(50)
            ).all(),
        )


def _newest_facts(connection: Connection, inegi: str, node: str, lane: str) -> tuple[FactRow, ...]:
    """Chain by chain along the primary key, newest chain first, until no older one can matter."""
    h = heads.c
    mine = [
        h.inegi == inegi,
        *([h.node == node] if node else []),
        *([h.lane == lane] if lane else []),
    ]
    chains = connection.execute(select(heads).where(and_(*mine)).order_by(h.updated_at.desc()))
    found: list[Row[Any]] = []
    for chain in chains.all():
        if len(found) >= NEWEST and found[NEWEST - 1].received_at > chain.updated_at:
            break
        names = ("inegi", "node", "epoch", "lane")
        here = and_(*(facts.c[name] == getattr(chain, name) for name in names))
        some = select(facts).where(here).order_by(facts.c.seq.desc()).limit(NEWEST)
        found.extend(connection.execute(some))
        found.sort(key=lambda row: (row.received_at, row.seq), reverse=True)
    return tuple(_fact_row(row) for row in found[:NEWEST])


def _fact_row(row: Row[Any]) -> FactRow:
    document = json.loads(bytes(row.raw))
    return FactRow(
        node=row.node,
        epoch=row.epoch,
        lane=row.lane,
        seq=row.seq,
        type=document["type"],
        time=document.get("time", ""),
        data=json.dumps(document["data"], ensure_ascii=False)[:400],
        received_at=row.received_at,
    )
