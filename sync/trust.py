"""May a ledger that opens be believed? Its key, and what the witness says that it once held.

Asked at every start, before the first fact is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import msgspec

from municipio.clock import TRUSTED_QUALITIES
from municipio.facts import LANES, FactError, fact_hash, parse_time
from municipio.stored_facts import decode_stored
from sync.database import query
from sync.rows import LANE_NUMBER
from sync.seals import Head, coming_key, key_file, read_key, seal_of, settle_key

HEADS_LOST = "heads_lost"
KEY_LOST = "key_lost"
"""Reasons of an epoch: facts that this node had stored are not in its ledger any more; the key of the
seals is gone, so nobody can say whether facts were changed."""

MAX_AHEAD = timedelta(days=400)
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""No node ever ran before this day."""


def ledger_key(connection: apsw.Connection, ledger: Path) -> bytes:
    """The key of this ledger's seals; facts of a time before seals are sealed once, when it is made."""
    file = key_file(ledger)
    coming = None
    while coming is None:  # the node's programs start together, and one of them settles the key
        key = read_key(file)
        if key is not None:
            return key
        coming = coming_key(file)
    connection.execute("BEGIN IMMEDIATE")
    try:
        key = read_key(file)
        if key is None:
            _seal_old(connection, coming)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    if key is None:
        settle_key(file)
    return key or coming


def _seal_old(connection: apsw.Connection, key: bytes) -> None:
    """Seal every fact. Seals that were there are of a key that is gone: that is told in an epoch."""
    found = query(connection, "SELECT lane, epoch, seq, body, seal FROM fact")
    if any(seal is not None for *_, seal in found):
        begin_epoch(connection, 0, KEY_LOST, {"facts": len(found)}, always=True)
    for lane, epoch, seq, body, _ in found:
        connection.execute(
            "UPDATE fact SET seal = ? WHERE lane = ? AND epoch = ? AND seq = ?",
            (seal_of(key, fact_hash(body)), lane, epoch, seq),
        )


def lost_heads(connection: apsw.Connection, heads: Mapping[int, Head]) -> dict[str, Any]:
    """Facts that the witness saw stored and the ledger does not have, by lane; empty when none.

    Only the current epoch counts: what was lost before an epoch began was told when it began.
    """
    (current,) = query(connection, "SELECT max(epoch) FROM epoch")[0]
    sql = "SELECT seq, body FROM fact WHERE lane = ? AND epoch = ? ORDER BY seq DESC LIMIT 1"
    lost: dict[str, Any] = {}
    for lane in LANES:
        head = heads.get(LANE_NUMBER[lane])
        if head is None or head.epoch < current:
            continue
        found = query(connection, sql, (LANE_NUMBER[lane], head.epoch))
        seq, body = found[0] if found else (0, None)
        if head.seq > seq:
            lost[lane.value] = {"epoch": head.epoch, "from": seq + 1, "through": head.seq}
        elif head.seq == seq and body is not None and fact_hash(body) != head.hash.hex():
            lost[lane.value] = {"epoch": head.epoch, "from": seq, "through": seq}
    return lost


def time_proof(connection: apsw.Connection) -> datetime | None:
    """The newest time that the ledger proves: the city's word, and this node's own trusted facts.

    A fact counts up to MAX_AHEAD after the city's word, so that a clock that was once years ahead
    does not stay there for ever.
    """
    (told,) = query(connection, "SELECT last_carried FROM node")[0]
    proof = parse_time(told) if told else None
    latest = (proof or EARLIEST) + MAX_AHEAD
    sql = "SELECT body FROM fact WHERE lane = ? AND epoch = ? ORDER BY seq DESC LIMIT 10"
    (epoch,) = query(connection, "SELECT max(epoch) FROM epoch")[0]
    for number in LANE_NUMBER.values():
        for (body,) in query(connection, sql, (number, epoch)):
            try:
                fact = decode_stored(body)
            except FactError:
                continue
            if fact.timequality in TRUSTED_QUALITIES and fact.time and fact.time <= latest:
                proof = fact.time if proof is None else max(proof, fact.time)
    return proof


def begin_epoch(
    connection: apsw.Connection, after: int, reason: str, detail: Any, *, always: bool = False
) -> int:
    """Start an epoch, inside the caller's transaction, unless one after `after` began; the current."""
    (current,) = query(connection, "SELECT max(epoch) FROM epoch")[0]
    if current > after and not always:
        return int(current)
    epoch = max(current, after) + 1
    text = msgspec.json.encode(detail).decode()
    connection.execute(
        "INSERT INTO epoch (epoch, reason, detail) VALUES (?, ?, ?)", (epoch, reason, text)
    )
    return int(epoch)
