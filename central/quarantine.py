"""Facts that were set aside, read again: what a newer program understands takes its place in its chain.

The place, the bytes and the day of arrival were kept, so a fact that is read a year later counts as if it
had been read at once. What is still no fact, or bears the id of another one, stays aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select

from central.admission import UNREADABLE
from central.city import City
from central.projections import apply_late, turn_of
from central.rights_audit import note
from central.schema import fact_ids, facts, heads, quarantine
from central.store import Store, insert_many, insert_new, take_turn
from municipio.facts import ZERO_HASH, Fact, FactError, decode_fact, format_time, node_urn

_CHAIN = ("inegi", "node", "epoch", "lane")


@dataclass(frozen=True, slots=True)
class ReadAgain:
    taken: int
    left: int


def set_aside(store: Store, inegi: str, node: str = "") -> Sequence[Row[Any]]:
    """Every fact that was set aside, chain by chain."""
    q = quarantine.c
    mine = select(quarantine).where(q.inegi == inegi, *([q.node == node] if node else []))
    with store.begin() as connection:
        return connection.execute(mine.order_by(q.node, q.epoch, q.lane, q.seq)).all()


def read_again(store: Store, city: City, at: datetime, who: str, node: str = "") -> ReadAgain:
    """Take in what can be read now, each chain in a transaction of its own."""
    aside = set_aside(store, city.inegi, node)
    taken = 0
    for place in sorted({tuple(getattr(row, name) for name in _CHAIN) for row in aside}):
        with store.begin() as connection:
            taken += _read_chain(connection, city, place, format_time(at))
    with store.begin() as connection:
        detail = f"{taken} de {len(aside)}"
        note(connection, city.inegi, who, "quarantine.read", at, detail=detail)
    return ReadAgain(taken, len(aside) - taken)


def _read_chain(connection: Connection, city: City, place: tuple[Any, ...], at: str) -> int:
    here = {name: value for name, value in zip(_CHAIN, place, strict=True)}
    take_turn(connection, turn_of(here["inegi"], here["node"]), wait=True)
    head = and_(*(heads.c[name] == value for name, value in here.items()))
    chain = connection.execute(select(heads).where(head).with_for_update()).one()
    q = quarantine.c
    mine = and_(*(q[name] == value for name, value in here.items()), q.code == UNREADABLE)
    rows = connection.execute(select(quarantine).where(mine).order_by(q.seq)).all()
    good = {row.seq: (row, fact) for row in rows if (fact := _fact(connection, row)) is not None}
    ids = [here | {"seq": seq, "id": fact.id} for seq, (_, fact) in good.items()]
    claimed = set(insert_new(connection, fact_ids, ids, fact_ids.c.id))
    fresh = [
        here | {"seq": seq, "id": fact.id, "raw": bytes(row.raw), "hash": row.hash}
        | {"received_at": row.received_at}
        for seq, (row, fact) in good.items()
        if fact.id in claimed
    ]  # fmt: skip
    if not fresh:
        return 0
    insert_many(connection, facts, fresh)
    seqs = [int(row["seq"]) for row in fresh]
    connection.execute(delete(quarantine).where(mine, q.seq.in_(seqs)))
    apply_late(connection, chain, seqs, city.zone, at)
    return len(fresh)


def _fact(connection: Connection, row: Row[Any]) -> Fact | None:
    """The fact of a row, if it is one now and belongs where it stands."""
    try:
        fact = decode_fact(bytes(row.raw))
    except FactError:
        return None
    place = (fact.source, fact.epoch, fact.lane.value, fact.seq)
    if place != (node_urn(row.inegi, row.node), row.epoch, row.lane, row.seq):
        return None
    return fact if fact.prev == _hash_before(connection, row) else None


def _hash_before(connection: Connection, row: Row[Any]) -> str:
    if row.seq == 1:
        return ZERO_HASH
    for table in (facts, quarantine):
        c = table.c
        here = and_(*(c[name] == getattr(row, name) for name in _CHAIN), c.seq == row.seq - 1)
        found = connection.scalars(select(c.hash).where(here)).first()
        if found is not None:
            return str(found)
    return ""
