"""Recompute everything that the ledger promises: pages, numbers, chains, seals, and what was seen stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apsw

from municipio.facts import LANES, ZERO_HASH, FactError, Lane, fact_hash
from municipio.stored_facts import decode_stored
from sync.database import query
from sync.ledger import SqliteLedger
from sync.rows import LANE_NUMBER
from sync.seals import seal_of


@dataclass(frozen=True, slots=True)
class Verification:
    """`facts` were read and recomputed; `problems` is empty when all of it holds."""

    facts: int
    problems: tuple[str, ...]


def verify_ledger(ledger: SqliteLedger) -> Verification:
    """Read the whole ledger. Takes time with its size; writers are not kept out."""
    count = 0
    problems: list[str] = []
    with ledger.reading() as db:
        try:
            found = [str(row[0]) for row in query(db, "PRAGMA integrity_check(10)")]
            problems += [line for line in found if line != "ok"]
            for lane in LANES:
                for (epoch,) in query(db, "SELECT epoch FROM epoch"):
                    facts, trouble = _verify_chain(db, ledger.key, lane, epoch)
                    count += facts
                    problems += [f"{lane.value} epoch {epoch}: {trouble}"] if trouble else []
        except apsw.Error as e:
            problems.append(str(e))
    problems += [
        f"{lane}: facts {lost['from']} to {lost['through']} of epoch {lost['epoch']} were stored and are gone"
        for lane, lost in ledger.lost_heads().items()
    ]
    return Verification(count, tuple(problems))


def _verify_chain(db: apsw.Connection, key: bytes, lane: Lane, epoch: int) -> tuple[int, str]:
    """How many facts of one chain hold, and the first trouble."""
    number = LANE_NUMBER[lane]
    row = query(
        db,
        "SELECT acked, acked_hash, pruned, pruned_hash FROM chain WHERE lane = ? AND epoch = ?",
        (number, epoch),
    )
    acked, acked_hash, seq, prev = row[0] if row else (0, ZERO_HASH, 0, ZERO_HASH)
    count, is_acked_seen = 0, acked == seq
    sql = "SELECT seq, body, seal FROM fact WHERE lane = ? AND epoch = ? ORDER BY seq"
    facts: Iterator[tuple[int, bytes, bytes | None]] = db.execute(sql, (number, epoch))
    for found, body, seal in facts:
        try:
            fact = decode_stored(body)
        except FactError as e:
            return count, f"fact {found} cannot be read: {e}"
        if (fact.lane, fact.epoch, fact.seq, found) != (lane, epoch, seq + 1, seq + 1):
            return count, f"fact {seq + 1} is not where it belongs"
        if fact.prev != prev:
            return count, f"fact {found} does not continue the chain"
        if seal != seal_of(key, fact_hash(body)):
            return count, f"fact {found} does not fit its seal: it was changed after it was stored"
        seq, prev, count = found, fact_hash(body), count + 1
        if seq == acked:
            is_acked_seen = True
            if prev != acked_hash:
                return count, f"fact {seq} is not the one that the city holds"
    return count, "" if is_acked_seen else f"fact {acked}, which the city holds, is missing"
