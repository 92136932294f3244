"""Facts into the city's books: one transaction per batch, idempotent for ever.

The same batch again is the same answer. Bytes that differ from what the city already holds at a
place are tampering, recorded and raised to the staff. A gap says which seq is wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update
from sqlalchemy.sql.elements import ColumnElement

from central.admission import DUPLICATE_ID, UNREADABLE, Line, admit
from central.nodes import quarantine_in
from central.problems import Problem, ProblemType
from central.schema import fact_ids, facts, heads, nodes, quarantine, tampering
from central.schema_money import batch_seals
from central.store import Store, insert_many, insert_missing, insert_new, upsert
from municipio.facts import ZERO_HASH, format_time
from municipio.wire.batch import Batch, BatchHeader
from municipio.wire.keys import signature_text


@dataclass(frozen=True, slots=True)
class Refused:
    """A fact that keeps its place in the chain but has no effect; told in the acknowledgement."""

    seq: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The head of the chain after a batch, and what was refused inside that batch."""

    through: int
    chain: str
    refused: tuple[Refused, ...] = ()


def take_batch(store: Store, inegi: str, batch: Batch, at: datetime) -> Taken | Problem:
    """Store what is new in a batch whose signature was verified. Returns after the commit."""
    lines = admit(inegi, batch.header, batch.facts)
    if isinstance(lines, Problem):
        return lines
    with store.begin() as connection:
        return _Chain(connection, inegi, batch, format_time(at)).take(lines)


def take_batch_in(
    connection: Connection, inegi: str, batch: Batch, at: datetime
) -> Taken | Problem:
    """`take_batch` inside the caller's transaction."""
    lines = admit(inegi, batch.header, batch.facts)
    if isinstance(lines, Problem):
        return lines
    return _Chain(connection, inegi, batch, format_time(at)).take(lines)


class _Chain:
    """One (node, epoch, lane) inside one transaction."""

    def __init__(self, connection: Connection, inegi: str, batch: Batch, at: str) -> None:
        self._db = connection
        self._batch = batch
        self._header: BatchHeader = batch.header
        self._at = at
        self._key: dict[str, Any] = {
            "inegi": inegi,
            "node": batch.header.node,
            "epoch": batch.header.epoch,
            "lane": str(batch.header.lane),
        }

    def take(self, lines: Sequence[Line]) -> Taken | Problem:
        through, chain = self._head()
        if self._header.first > through + 1:
            detail = f"the city holds this chain up to seq {through}"
            return Problem(ProblemType.GAP, detail, {"wanted_seq": through + 1})
        known = [line for line in lines if line.seq <= through]
        fresh = [line for line in lines if line.seq > through]
        changed = self._changed(known)
        if changed is None and fresh and not known and self._header.prev != chain:
            changed = fresh[0]
        if changed is not None:
            return self._raise_tampering(changed, through, chain)
        if fresh:
            self._append(fresh)
            self._keep_seal()
            through, chain = fresh[-1].seq, fresh[-1].hash
        self._touch_node()
        return Taken(through, chain, self._refused(lines[0].seq, lines[-1].seq))

    def _head(self) -> tuple[int, str]:
        """Serialises batches of one node (a row lock on PostgreSQL), then reads the chain's head."""
        n = nodes.c
        mine = and_(n.inegi == self._key["inegi"], n.node == self._key["node"])
        self._db.execute(select(n.node).where(mine).with_for_update())
        row = self._db.execute(select(heads.c.through, heads.c.chain).where(self._here(heads)))
        found = row.first()
        return (found.through, found.chain) if found else (0, ZERO_HASH)

    def _here(self, table: Any) -> ColumnElement[bool]:
        return and_(*(table.c[name] == value for name, value in self._key.items()))

    def _changed(self, known: Sequence[Line]) -> Line | None:
        """The first line whose bytes are not those the city holds at its place."""
        if not known:
            return None
        held: dict[int, str] = {}
        for table in (facts, quarantine):
            place = table.c.seq.between(known[0].seq, known[-1].seq)
            rows = select(table.c.seq, table.c.hash).where(self._here(table), place)
            held.update((row.seq, row.hash) for row in self._db.execute(rows))
        return next((line for line in known if held.get(line.seq) != line.hash), None)

    def _append(self, fresh: Sequence[Line]) -> None:
        claimed = self._claim_ids(fresh)
        rows: list[dict[str, Any]] = []
        aside: list[dict[str, Any]] = []
        for line in fresh:
            row = {**self._key, "seq": line.seq, "raw": line.raw, "hash": line.hash}
            row["received_at"] = self._at
            if line.fact is None:
                aside.append({**row, "code": UNREADABLE, "detail": line.trouble})
            elif claimed.get(line.fact.id) != line.seq:
                detail = f"id {line.fact.id} already belongs to another fact"
                aside.append({**row, "code": DUPLICATE_ID, "detail": detail})
                self._record_tampering(line, f"seq {line.seq}: {detail}", "duplicate-id")
            else:
                rows.append({**row, "id": line.fact.id})
        if rows:
            insert_many(self._db, facts, rows)
        if aside:
            self._db.execute(quarantine.insert(), aside)
        last = fresh[-1]
        head = {"through": last.seq, "chain": last.hash, "updated_at": self._at}
        upsert(self._db, heads, {**self._key, **head})

    def _keep_seal(self) -> None:
        """The node's signature, so that an auditor can prove years later who said what is stored."""
        place = {"first": self._header.first, "last": self._header.last, "prev": self._header.prev}
        signature = signature_text(self._batch.signature)
        seal = {"signature": signature, "received_at": self._at}
        insert_missing(self._db, batch_seals, [{**self._key, **place, **seal}])

    def _claim_ids(self, fresh: Sequence[Line]) -> dict[str, int]:
        """The ids that now belong to these facts, each with its seq; the others had an owner."""
        first: dict[str, int] = {}
        for line in fresh:
            if line.fact is not None:
                first.setdefault(line.fact.id, line.seq)
        rows = [{**self._key, "seq": seq, "id": id} for id, seq in first.items()]
        new = insert_new(self._db, fact_ids, rows, fact_ids.c.id)
        return {id: first[id] for id in new}

    def _refused(self, first: int, last: int) -> tuple[Refused, ...]:
        q = quarantine.c
        asked = select(q.seq, q.code, q.detail).where(
            self._here(quarantine), q.seq.between(first, last)
        )
        rows = self._db.execute(asked.order_by(q.seq))
        return tuple(Refused(row.seq, row.code, row.detail) for row in rows)

    def _touch_node(self) -> None:
        n = nodes.c
        mine = and_(n.inegi == self._key["inegi"], n.node == self._key["node"])
        self._db.execute(update(nodes).where(mine).values(last_contact_at=self._at))

    def _raise_tampering(self, line: Line, through: int, chain: str) -> Problem:
        detail = (
            f"epoch {self._header.epoch}, lane {self._header.lane}, seq {line.seq}: "
            "other bytes than the city holds, or another chain"
        )
        self._record_tampering(line, detail, "changed-fact")
        quarantine_in(
            self._db, self._key["inegi"], self._key["node"], "dos historias de una cadena"
        )
        return Problem(
            ProblemType.TAMPERING, detail, {"seq": line.seq, "through": through, "chain": chain}
        )

    def _record_tampering(self, line: Line, detail: str, what: str) -> None:
        place = "/".join(str(value) for value in self._key.values())
        digest = hashlib.sha256(f"{what} {place}/{line.seq} {line.hash}".encode()).hexdigest()
        key = {"inegi": self._key["inegi"], "node": self._key["node"], "digest": digest}
        seen = {"first_seen_at": self._at, "last_seen_at": self._at, "times": 0}
        insert_missing(self._db, tampering, [{**key, "what": what, "detail": detail, **seen}])
        t = tampering.c
        mine = and_(*(t[name] == value for name, value in key.items()))
        again = {"times": t.times + 1, "last_seen_at": self._at}
        self._db.execute(update(tampering).where(mine).values(again))
