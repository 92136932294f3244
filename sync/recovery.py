"""Facts that cannot stay in their chain travel whole in a new epoch, so that the city gets every one.

Two things strand facts: a fact before them that was damaged on the card (the city will take nothing
after a gap), and a copy of this card that spoke first (the city holds other facts at their numbers).
The chain is closed before the first stranded fact; each readable one goes into a `*.recovered` fact
with its own id, time and folio; one that does not fit its seal is kept aside and told in `node.started`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apsw
import msgspec

from municipio.facts import (
    LANES,
    RECOVERED,
    Fact,
    FactDraft,
    FactError,
    Lane,
    fact_hash,
)
from municipio.stored_facts import decode_stored
from sync.database import query
from sync.ledger import SqliteLedger
from sync.rows import LANE_NUMBER
from sync.seals import seal_of
from sync.trust import begin_epoch

DAMAGED = "facts_damaged"
OTHER_FUTURE = "other_future"
"""Reasons of an epoch: facts did not fit their seals; the city holds other facts at these numbers."""

_UNACKED = """
SELECT f.epoch, f.seq, f.body, f.seal FROM fact AS f
LEFT JOIN chain AS c ON c.lane = f.lane AND c.epoch = f.epoch
WHERE f.lane = ? AND f.seq > coalesce(c.acked, 0) ORDER BY f.epoch, f.seq
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a chain's end: `facts` travel in `epoch`, `lost` numbers could not be read."""

    epoch: int
    facts: int
    lost: tuple[int, ...]


def recover_damaged(ledger: SqliteLedger) -> tuple[Moved, ...]:
    """Look at every fact that the city does not have; close each chain before one that is damaged."""
    found: list[tuple[Lane, int, int]] = []
    with ledger.reading() as db:
        for lane in LANES:
            first: dict[int, int] = {}
            # Row by row: weeks off line are many facts, and memory is small.
            rows: Iterator[tuple[int, int, Any, Any]] = db.execute(_UNACKED, (LANE_NUMBER[lane],))
            for epoch, seq, body, seal in rows:
                if not _fits(ledger, body, seal):
                    first.setdefault(epoch, seq)
            found += [(lane, epoch, seq) for epoch, seq in first.items()]
    return tuple(recover_from(ledger, *place, reason=DAMAGED) for place in found)


def recover_from(ledger: SqliteLedger, lane: Lane, epoch: int, first: int, *, reason: str) -> Moved:
    """Close (lane, epoch) before fact `first` and take what follows into a new epoch; one transaction."""
    recorded: list[Fact] = []
    lost: list[int] = []
    with ledger.transaction() as db:
        rows = query(
            db,
            "SELECT seq, body, seal FROM fact WHERE lane = ? AND epoch = ? AND seq >= ? ORDER BY seq",
            (LANE_NUMBER[lane], epoch, first),
        )
        now = begin_epoch(db, epoch, reason, {})
        for seq, body, seal in rows:
            if not _is_whole(ledger, body, seal) or not _take(
                ledger, db, lane, body, reason, recorded
            ):
                lost.append(seq)
                row = (LANE_NUMBER[lane], epoch, seq, body)
                db.execute("INSERT OR REPLACE INTO damaged_fact VALUES (?, ?, ?, ?)", row)
        _close_chain(db, lane, epoch, first)
        _tell(db, now, lane, {"epoch": epoch, "from": first, "moved": len(recorded), "lost": lost})
    for fact in recorded:
        ledger.note(fact)
    return Moved(now, len(recorded), tuple(lost))


def take_stranded(ledger: SqliteLedger, stranded: Iterable[tuple[int, bytes]], reason: str) -> int:
    """Record facts (lane number, bytes) that are in no whole chain; how many there was room for."""
    taken: list[Fact] = []
    with ledger.transaction() as db:
        for number, body in stranded:
            _take(ledger, db, LANES[number], body, reason, taken)
    for fact in taken:
        ledger.note(fact)
    return len(taken)


def _is_whole(ledger: SqliteLedger, body: Any, seal: Any) -> bool:
    """The bytes that this node sealed, and a fact."""
    if not _fits(ledger, body, seal):
        return False
    try:
        decode_stored(body)
    except FactError:
        return False
    return True


def _fits(ledger: SqliteLedger, body: Any, seal: Any) -> bool:
    return isinstance(body, bytes) and seal == seal_of(ledger.key, fact_hash(body))


def _take(
    ledger: SqliteLedger,
    db: apsw.Connection,
    lane: Lane,
    body: bytes,
    reason: str,
    taken: list[Fact],
) -> bool:
    """Record one stranded fact inside another; False when there is no room for it there."""
    fact = decode_stored(body)
    # One that was recovered before travels on as it was: never one inside another inside another.
    whole = fact.data["fact"] if fact.type in RECOVERED.values() else body.decode()
    draft = FactDraft(RECOVERED[lane], {"fact": whole, "reason": reason})
    try:
        now = ledger.record_in(db, draft).fact
    except FactError:
        return False
    taken.append(now)
    # Its sealed files wait for the fact that names them: that is this one now.
    db.execute(
        "UPDATE attachment SET epoch = ?, seq = ? WHERE lane = ? AND epoch = ? AND seq = ?",
        (now.epoch, now.seq, LANE_NUMBER[lane], fact.epoch, fact.seq),
    )
    return True


def _close_chain(db: apsw.Connection, lane: Lane, epoch: int, first: int) -> None:
    chain = (LANE_NUMBER[lane], epoch)
    db.execute(
        """INSERT INTO chain (lane, epoch, acked_hash, pruned_hash, moved) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (lane, epoch) DO UPDATE SET moved = excluded.moved""",
        (*chain, "0" * 64, "0" * 64, first),
    )
    db.execute("DELETE FROM fact WHERE lane = ? AND epoch = ? AND seq >= ?", (*chain, first))


def _tell(db: apsw.Connection, epoch: int, lane: Lane, what: dict[str, Any]) -> None:
    """Add to what the epoch's `node.started` will say."""
    (text,) = query(db, "SELECT detail FROM epoch WHERE epoch = ?", (epoch,))[0]
    detail: dict[str, Any] = msgspec.json.decode(text)
    detail.setdefault("closed", {}).setdefault(lane.value, []).append(what)
    told = msgspec.json.encode(detail).decode()
    db.execute("UPDATE epoch SET detail = ? WHERE epoch = ?", (told, epoch))
