"""What waits for the city: stretches of facts per lane and epoch, and what its answers change.

Only `apply_ack` ever moves a chain forward, and only when the city names the same hash as ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apsw
import msgspec

from municipio.facts import LANES, MAX_FACT_BYTES, ZERO_HASH, Lane, fact_hash
from municipio.identifiers import make_folio
from municipio.wire.ack import Ack, FactProblem
from municipio.wire.batch import MAX_UNPACKED_BYTES
from sync.database import query
from sync.ledger import SqliteLedger
from sync.recovery import recover_from
from sync.rows import LANE_NUMBER
from sync.seals import seal_of
from sync.trust import begin_epoch

KEPT_FACTS = 200
"""Acknowledged facts that stay per chain, in case the city comes back from an older backup."""
KEPT_MS = 24 * 3600 * 1000
"""How long rendered bytes stay for a COPIA after the paper came out."""

_LANE = {number: lane for lane, number in LANE_NUMBER.items()}
_BATCH_ROOM = MAX_UNPACKED_BYTES - MAX_FACT_BYTES


@dataclass(frozen=True, slots=True)
class Stretch:
    """One chain: numbers up to `acked` are the city's, up to `last` exist."""

    lane: Lane
    epoch: int
    acked: int
    last: int

    @property
    def waiting(self) -> int:
        return self.last - self.acked


@dataclass(frozen=True, slots=True)
class Load:
    """Facts to send: `first` and the hash before it, then their bytes in order."""

    first: int
    prev: str
    facts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Damaged:
    """Fact `seq` is not what this node wrote: it must not be signed again as if it were."""

    seq: int


@dataclass(frozen=True, slots=True)
class ChainDiffers:
    """The city names a hash that is not ours: nothing was marked as delivered."""

    detail: str
    is_ahead: bool = False
    """It holds facts of this chain that this card never wrote: the card was copied, or is an old copy."""


class Outbox:
    """The sending side of one ledger."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger

    def stretches(self) -> tuple[Stretch, ...]:
        """Every chain that has facts, most urgent lane first, oldest epoch first."""
        found: list[Stretch] = []
        with self._ledger.reading() as db:
            epochs = [row[0] for row in query(db, "SELECT epoch FROM epoch ORDER BY epoch")]
            for lane in LANES:
                for epoch in epochs:
                    last = _last(db, lane, epoch)
                    if last:
                        found.append(Stretch(lane, epoch, _acked(db, lane, epoch), last))
        return tuple(found)

    def waiting(self) -> int:
        """How many facts the city has not acknowledged."""
        return sum(stretch.waiting for stretch in self.stretches())

    def load(self, lane: Lane, epoch: int, first: int, limit: int) -> Load | Damaged | None:
        """Up to `limit` facts from `first` on that fit one batch; None when they are not here."""
        number = LANE_NUMBER[lane]
        sql = (
            "SELECT seq, body, seal FROM fact WHERE lane = ? AND epoch = ? AND seq >= ? "
            "ORDER BY seq LIMIT ?"
        )
        with self._ledger.reading() as db:
            rows = query(db, sql, (number, epoch, first, limit))
            prev = _hash_at(db, lane, epoch, first - 1)
        if not rows or rows[0][0] != first or prev is None:
            return None
        facts: list[bytes] = []
        size = 0
        for seq, body, seal in rows:
            size += len(body) + 1
            if size > _BATCH_ROOM and facts:
                break
            if seal != seal_of(self._ledger.key, fact_hash(body)):
                if not facts:
                    return Damaged(seq)
                break
            facts.append(body)
        return Load(first, prev, tuple(facts))

    def apply_ack(self, ack: Ack) -> ChainDiffers | int:
        """Mark as delivered what the city proves to hold; how many facts that newly are.

        An old acknowledgement changes nothing. apsw errors come out: nothing is marked then.
        """
        moved = self._apply_ack(ack)
        if moved:
            self._ledger.witness.sync()
        return moved

    def _apply_ack(self, ack: Ack) -> ChainDiffers | int:
        with self._ledger.transaction() as db:
            ours = _hash_at(db, ack.lane, ack.epoch, ack.through)
            acked = _acked(db, ack.lane, ack.epoch)
            if ack.through > acked and ours != ack.chain:
                where = f"{ack.lane.value} epoch {ack.epoch} fact {ack.through}"
                is_ahead = ack.through > _last(db, ack.lane, ack.epoch)
                return ChainDiffers(f"the city's chain differs from ours at {where}", is_ahead)
            if ack.through > acked:
                _set_acked(db, ack.lane, ack.epoch, ack.through, ack.chain)
            for problem in ack.problems:
                if ours == ack.chain and problem.seq <= ack.through:
                    self._store_problem(db, ack.lane, ack.epoch, problem)
            db.execute("UPDATE node SET attempts = 0")
            if ack.city_time:
                db.execute("UPDATE node SET last_carried = ?", (ack.city_time,))
            return max(0, ack.through - acked)

    def rewind(self, lane: Lane, epoch: int, wanted: int) -> bool:
        """The city lost facts from `wanted` on: send them again, if they are still here."""
        with self._ledger.transaction() as db:
            before = _hash_at(db, lane, epoch, wanted - 1)
            if before is None or wanted > _last(db, lane, epoch):
                return False
            if _body_at(db, lane, epoch, wanted) is None:
                return False
            _set_acked(db, lane, epoch, wanted - 1, before)
            return True

    def begin_epoch(self, after: int, reason: str) -> int:
        """Start a new epoch unless someone already did after `after`; the current epoch."""
        with self._ledger.transaction() as db:
            return begin_epoch(db, after, reason, {})

    def recover_from(self, lane: Lane, epoch: int, first: int, reason: str) -> None:
        """Close a chain before fact `first`; what follows travels in a new epoch."""
        recover_from(self._ledger, lane, epoch, first, reason=reason)

    def recover_unacked(self, lane: Lane, epoch: int, reason: str) -> None:
        """The same for everything that the city has not acknowledged of a chain."""
        with self._ledger.reading() as db:
            first = _acked(db, lane, epoch) + 1
        self.recover_from(lane, epoch, first, reason)

    def epoch(self) -> int:
        with self._ledger.reading() as db:
            return int(query(db, "SELECT max(epoch) FROM epoch")[0][0])

    def epoch_reason(self) -> tuple[str, dict[str, Any]]:
        """Why the current epoch began, and what is known about it."""
        sql = "SELECT reason, detail FROM epoch ORDER BY epoch DESC LIMIT 1"
        with self._ledger.reading() as db:
            reason, detail = query(db, sql)[0]
        return str(reason), msgspec.json.decode(detail, type=dict[str, Any])

    def last_carried(self) -> str:
        """City's time of the last acknowledgement (RFC 3339 UTC), empty if never."""
        with self._ledger.reading() as db:
            return str(query(db, "SELECT last_carried FROM node")[0][0])

    def attempts(self) -> int:
        """Tries since the last acknowledgement, kept over restarts so that backoff is too."""
        with self._ledger.reading() as db:
            return int(query(db, "SELECT attempts FROM node")[0][0])

    def set_attempts(self, attempts: int) -> None:
        with self._ledger.transaction() as db:
            db.execute("UPDATE node SET attempts = ?", (attempts,))

    def change_mark(self) -> tuple[int, int]:
        """Another value after any program, this one included, has written; very cheap."""
        with self._ledger.reading() as db:
            return int(query(db, "PRAGMA data_version")[0][0]), db.total_changes()

    def problems(self) -> tuple[tuple[str, FactProblem], ...]:
        """(folio, problem) of every fact that the city holds in quarantine."""
        with self._ledger.reading() as db:
            rows = query(db, "SELECT folio, seq, code, detail FROM fact_problem")
        return tuple((folio, FactProblem(seq, code, detail)) for folio, seq, code, detail in rows)

    def prune(self, kept_facts: int = KEPT_FACTS) -> None:
        """Forget what is no longer needed: acknowledged facts, and papers printed long ago."""
        now = self._ledger.clock.now()
        for stretch in self.stretches():
            through = min(stretch.acked, stretch.last - 1) - kept_facts
            self._prune_facts(stretch, through)
        wall = now.time.timestamp() * 1000 if now.time is not None and now.is_trusted else None
        day = KEPT_MS / 1000
        with self._ledger.transaction() as db:
            db.execute(
                """UPDATE print_job SET rendered = x'' WHERE length(rendered) > 0
                AND verdict = 'printed' AND CASE
                  WHEN boot = ?1 THEN ?2 - boot_ms >= ?3
                  WHEN ?2 >= ?3 THEN 1
                  WHEN ?4 IS NULL OR time = '' THEN 0
                  ELSE ?4 / 1000 - CAST(strftime('%s', time) AS INTEGER) >= ?5 END""",
                (now.boot, now.boot_ms, KEPT_MS, wall, day),
            )
            erased = db.changes()
        if erased:
            with self._ledger.reading() as db:
                # The log still holds what was erased; a reader may keep it until the next time.
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prune_facts(self, stretch: Stretch, through: int) -> None:
        if through < 1:
            return
        chain = (LANE_NUMBER[stretch.lane], stretch.epoch)
        with self._ledger.transaction() as db:
            body = _body_at(db, stretch.lane, stretch.epoch, through)
            if body is None:
                return
            db.execute(
                "UPDATE chain SET pruned = ?, pruned_hash = ? WHERE lane = ? AND epoch = ?",
                (through, fact_hash(body), *chain),
            )
            db.execute(
                "DELETE FROM fact WHERE lane = ? AND epoch = ? AND seq <= ?", (*chain, through)
            )

    def _store_problem(
        self, db: apsw.Connection, lane: Lane, epoch: int, problem: FactProblem
    ) -> None:
        body = _body_at(db, lane, epoch, problem.seq)
        own = make_folio(self._ledger.node_code, lane, epoch, problem.seq)
        folio = _named_folio(body) or own
        db.execute(
            "INSERT OR REPLACE INTO fact_problem VALUES (?, ?, ?, ?, ?, ?)",
            (LANE_NUMBER[lane], epoch, problem.seq, folio, problem.code, problem.detail),
        )
        told = msgspec.json.encode({"code": problem.code, "detail": problem.detail}).decode()
        db.execute(
            "UPDATE folio SET detail = json_set(detail, '$.city_problem', json(?)) WHERE folio = ?",
            (told, folio),
        )


def _named_folio(body: bytes | None) -> str:
    """The folio that a fact says it belongs to, empty if it says none."""
    data: dict[str, Any] = {} if body is None else msgspec.json.decode(body)["data"]
    folio = data.get("folio", "")
    return folio if isinstance(folio, str) else ""


def _last(db: apsw.Connection, lane: Lane, epoch: int) -> int:
    sql = "SELECT max(seq) FROM fact WHERE lane = ? AND epoch = ?"
    return int(query(db, sql, (LANE_NUMBER[lane], epoch))[0][0] or 0)


def _acked(db: apsw.Connection, lane: Lane, epoch: int) -> int:
    sql = "SELECT acked FROM chain WHERE lane = ? AND epoch = ?"
    row = query(db, sql, (LANE_NUMBER[lane], epoch))
    return int(row[0][0]) if row else 0


def _set_acked(db: apsw.Connection, lane: Lane, epoch: int, through: int, chain: str) -> None:
    db.execute(
        """INSERT INTO chain (lane, epoch, acked, acked_hash, pruned_hash) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (lane, epoch) DO UPDATE SET acked = excluded.acked,
          acked_hash = excluded.acked_hash""",
        (LANE_NUMBER[lane], epoch, through, chain, ZERO_HASH),
    )


def _body_at(db: apsw.Connection, lane: Lane, epoch: int, seq: int) -> bytes | None:
    sql = "SELECT body FROM fact WHERE lane = ? AND epoch = ? AND seq = ?"
    row = query(db, sql, (LANE_NUMBER[lane], epoch, seq))
    return bytes(row[0][0]) if row else None


def _hash_at(db: apsw.Connection, lane: Lane, epoch: int, seq: int) -> str | None:
    """Chain hash after fact `seq`, None when this ledger cannot know it."""
    if seq == 0:
        return ZERO_HASH
    body = _body_at(db, lane, epoch, seq)
    if body is not None:
        return fact_hash(body)
    sql = "SELECT pruned_hash FROM chain WHERE lane = ? AND epoch = ? AND pruned = ?"
    row = query(db, sql, (LANE_NUMBER[lane], epoch, seq))
    return str(row[0][0]) if row else None
