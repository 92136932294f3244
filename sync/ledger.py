"""The node's memory: facts and business rows in one transaction, on disk before anyone is told.

Kiosk, portal and sync worker each open the same file; SQLite's write lock settles their order, and
each fact's number and `prev` are read inside the transaction that stores it. Inside one program the
object may be shared by threads.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec
from uuid_utils import uuid7

from municipio.clock import Clock, FloorClock
from municipio.facts import (
    MAX_FACT_BYTES,
    ZERO_HASH,
    Fact,
    FactDraft,
    FactError,
    FactType,
    Lane,
    encode_fact,
    fact_hash,
    lane_of,
    make_fact,
    node_urn,
)
from municipio.identifiers import make_folio
from municipio.usecases.ports import (
    Change,
    NotRecorded,
    NotRecordedCause,
    Numbered,
    Recorded,
    no_changes,
)
from sync import rows
from sync.attachments import named_attachments
from sync.database import (
    LedgerDamaged,
    cannot_open,
    connect,
    create_database,
    not_recorded,
    query,
    roll_back,
)
from sync.ledger_reads import LedgerReads
from sync.reserve import Reserve
from sync.seals import (
    FileWitness,
    Head,
    Witness,
    key_file,
    read_key,
    seal_of,
    witness_file,
)
from sync.trust import HEADS_LOST, begin_epoch, ledger_key, lost_heads, time_proof
from sync.use_lock import UseLock, share

_HEAD = """
SELECT e.epoch, f.seq, f.body
FROM (SELECT max(epoch) AS epoch FROM epoch) AS e
LEFT JOIN fact AS f ON f.lane = ?1 AND f.epoch = e.epoch
  AND f.seq = (SELECT max(seq) FROM fact WHERE lane = ?1 AND epoch = e.epoch)
"""
_INSERT_FACT = "INSERT INTO fact (lane, epoch, seq, body, seal) VALUES (?, ?, ?, ?, ?)"


def open_ledger(
    path: Path,
    clock: Clock,
    node_code: str,
    inegi: str,
    *,
    vfs: str = "",
    witness: Witness | None = None,
    locked: bool = False,
) -> SqliteLedger | LedgerDamaged:
    """Open the ledger at `path`, making an empty one if there is none. Never overwrites anything.

    `node_code` and `inegi` (5 digits) name the node; a ledger of another node is refused as damaged.
    When the witness saw facts that are not there any more, a new epoch begins, so that no folio is
    given twice. `vfs` is the name of an apsw VFS and `witness` another witness, for tests that cut
    the power; `locked` is for who has it alone already. Use `sync.salvage.open_salvaging` where a
    damaged file must not stop the node.
    """
    try:
        use = None if locked else share(path)
        opened = _open(path, clock, (node_code, inegi), vfs, witness)
    except OSError as e:
        return LedgerDamaged(path, str(e), disk_full=e.errno == errno.ENOSPC)
    except apsw.Error as e:
        opened = cannot_open(path, e)
    if isinstance(opened, SqliteLedger):
        opened.use = use
    elif use is not None:
        use.close()
    return opened


def _open(
    path: Path, clock: Clock, owner: tuple[str, str], vfs: str, witness: Witness | None
) -> SqliteLedger | LedgerDamaged:
    if salvaged_file(path).exists():
        return LedgerDamaged(path, "a salvage was interrupted", can_salvage=True)
    if not path.exists():
        create_database(path, *owner, epoch=next_epoch(path))
    connection = connect(path, vfs=vfs)
    if isinstance(connection, LedgerDamaged):
        return connection
    try:
        found = query(connection, "SELECT node, inegi FROM node")
        if found != [owner]:
            detail = f"it belongs to node {found}, not to {owner[0]}"
            return _closed(connection, LedgerDamaged(path, detail))
        key = ledger_key(connection, path)
        witness = witness or FileWitness(witness_file(path), key)
        proof = time_proof(connection)
        if proof is not None and isinstance(clock, FloorClock):
            clock.raise_floor(proof)
        ledger = SqliteLedger(path, connection, clock, owner, key, witness)
        ledger.notice_lost_heads()
    except BaseException:
        connection.close()
        raise
    return ledger


def _closed(connection: apsw.Connection, damaged: LedgerDamaged) -> LedgerDamaged:
    connection.close()
    return damaged


def next_epoch(path: Path) -> int:
    """The first epoch of a ledger that has to be made: after all that the witness ever saw."""
    key = read_key(key_file(path))
    if key is None or not witness_file(path).exists():
        return 1
    witness = FileWitness(witness_file(path), key)
    try:
        return max((head.epoch for head in witness.heads().values()), default=0) + 1
    finally:
        witness.close()


class SqliteLedger(LedgerReads):
    """Implements `municipio.usecases.ports.CashLedger`, and with it `Ledger`."""

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        clock: Clock,
        owner: tuple[str, str],
        key: bytes,
        witness: Witness,
    ) -> None:
        super().__init__(path, connection)
        self.clock = clock
        self.node_code = owner[0]
        self.use: UseLock | None = None
        self.key = key
        self.witness = witness
        self.reserve = Reserve(path.parent)
        self._source = node_urn(owner[1], owner[0])
        self._poisoned = ""
        self._cursor = connection.cursor()
        """For what is written with each record: making a new one takes as long as a statement."""
        self._version = -1
        self._heads: dict[int, tuple[int, int, str]] = {}
        """(epoch, seq, hash) by lane, good while `_version` is what SQLite's pager says: it counts what
        this connection commits, and whenever it finds that another one did."""

    def close(self) -> None:
        with self._lock:
            self._poisoned = "the ledger is closed"
            try:
                self._connection.close()
            finally:
                self.witness.close()
                if self.use is not None:
                    self.use.close()

    def lost_heads(self) -> dict[str, Any]:
        """Facts of the current epoch that the witness saw stored and that are gone, by lane."""
        with self._lock:
            return lost_heads(self._connection, self.witness.heads())

    def notice_lost_heads(self) -> None:
        """Begin an epoch when the witness saw facts that are gone. apsw errors come out."""
        heads = self.witness.heads()
        if not lost_heads(self._connection, heads):
            return
        with self.transaction() as connection:
            lost = lost_heads(connection, heads)
            (current,) = _one(connection, "SELECT max(epoch) FROM epoch")
            after = max(current, *(head.epoch for head in heads.values()))
            if lost:
                begin_epoch(connection, after, HEADS_LOST, {"lost": lost})

    # --- writing --------------------------------------------------------------------------

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded:
        """Number a draft and store it with its business rows; returns after the fsync.

        On a full disk money and reports take from the reserve. What `changes` raises is raised again,
        and nothing is stored. ValueError (from the codec) for a draft that cannot be a fact.
        """
        done = self._record(draft, changes)
        while (
            type(done) is NotRecorded
            and done.cause is NotRecordedCause.DISK_FULL
            and self.reserve.release(lane_of(draft.type))
        ):
            done = self._record(draft, changes)
        return done

    def _record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]]
    ) -> Recorded | NotRecorded:
        with self._lock:
            connection, cursor, heads = self._connection, self._cursor, self._heads
            self._heads = {}
            try:
                self._refuse_if_poisoned()
                cursor.execute("BEGIN IMMEDIATE")
                if connection.data_version() != self._version:
                    heads = {}
                recorded = self._record_in(cursor, draft, changes, heads)
                cursor.execute("COMMIT")
                self._version = connection.data_version()
            except apsw.Error as error:
                roll_back(connection)
                return self._failed(error)
            except BaseException:
                roll_back(connection)
                raise
            self._heads = heads
            fact = recorded.fact
            self._tell_witness(fact, heads[rows.LANE_NUMBER[fact.lane]][2])
            return recorded

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        done = self._save(changes)
        while (
            done is not None
            and done.cause is NotRecordedCause.DISK_FULL
            and self.reserve.release(Lane.PAY)
        ):
            done = self._save(changes)
        return done

    def _save(self, changes: Sequence[Change]) -> NotRecorded | None:
        try:
            with self.transaction() as connection:
                at, cursor = self.clock.now(), connection.cursor()
                for change in changes:
                    rows.write_change(cursor, change, at)
        except apsw.Error as error:
            return self._failed(error)
        return None

    def note_start(self, version: str) -> Recorded | NotRecorded | None:
        """Record `node.started` once per boot of the machine and epoch; None if it already was."""
        boot = self.clock.now().boot
        try:
            with self.transaction() as connection:
                epoch, reason, detail = _one(
                    connection,
                    "SELECT epoch, reason, detail FROM epoch ORDER BY epoch DESC LIMIT 1",
                )
                mark = f"{epoch}:{boot}"
                if _one(connection, "SELECT started_boot FROM node") == (mark,):
                    return None
                connection.execute("UPDATE node SET started_boot = ?", (mark,))
                data = {"version": version, "reason": reason, "heads": _heads(connection, epoch)}
                draft = FactDraft(FactType.NODE_STARTED, data | msgspec.json.decode(detail))
                recorded = self.record_in(connection, draft)
        except apsw.Error as error:
            return self._failed(error)
        self.note(recorded.fact)
        return recorded

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """One durable write transaction. apsw errors come out as they are, rolled back."""
        with self._lock:
            self._refuse_if_poisoned()
            connection = self._connection
            self._heads = {}
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                roll_back(connection)
                raise

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """The connection, for single statements that read."""
        with self._lock:
            yield self._connection

    def record_in(self, connection: apsw.Connection, draft: FactDraft) -> Recorded:
        """Number and store a draft inside the caller's `transaction`; `note` it once that is committed."""
        return self._record_in(connection.cursor(), draft, no_changes, {})

    def note(self, fact: Fact) -> None:
        """Tell the witness of a fact that is committed."""
        self._tell_witness(fact, fact_hash(encode_fact(fact)))

    def _tell_witness(self, fact: Fact, digest: str) -> None:
        head = Head(fact.epoch, fact.seq, bytes.fromhex(digest))
        self.witness.note(rows.LANE_NUMBER[fact.lane], head)

    def _record_in(
        self,
        cursor: apsw.Cursor,
        draft: FactDraft,
        changes: Callable[[Numbered], Sequence[Change]],
        heads: dict[int, tuple[int, int, str]],
    ) -> Recorded:
        """Number and store; `heads` are the chains' heads where they are surely known."""
        lane = lane_of(draft.type)
        number = rows.LANE_NUMBER[lane]
        epoch, last, prev = heads.get(number) or _read_head(cursor.connection, number)
        seq = last + 1
        at = self.clock.now()
        fact = make_fact(
            draft, id=str(uuid7()), source=self._source, epoch=epoch, seq=seq, prev=prev, at=at
        )
        folio = make_folio(self.node_code, lane, epoch, seq)
        raw = encode_fact(fact)
        if len(raw) > MAX_FACT_BYTES:
            raise FactError(f"fact of {len(raw)} bytes is over the limit of {MAX_FACT_BYTES}")
        digest = fact_hash(raw)
        seal = seal_of(self.key, digest)
        cursor.execute(_INSERT_FACT, (number, epoch, seq, raw, seal))
        heads[number] = (epoch, seq, digest)
        if "attachments" in draft.data:
            rows.write_attachments(cursor, (number, epoch, seq), named_attachments(draft.data))
        for change in changes(Numbered(fact.id, epoch, seq, folio)):
            rows.write_change(cursor, change, at)
        return Recorded(fact, folio)

    def _refuse_if_poisoned(self) -> None:
        if self._poisoned:
            raise apsw.IOError(self._poisoned)

    def _failed(self, error: apsw.Error) -> NotRecorded:
        """After a failed fsync nobody knows what the disk holds: nothing more is written until reopened."""
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_FSYNC:
            self._poisoned = f"fsync failed: {error}"
        if self._poisoned:
            return NotRecorded(NotRecordedCause.LEDGER_DAMAGED, self._poisoned)
        return not_recorded(error, self.path)


def salvaged_file(path: Path) -> Path:
    """A ledger that a salvage has finished and not yet put in its place."""
    return path.with_name(f"{path.name}.salvaged")


def _read_head(connection: apsw.Connection, lane: int) -> tuple[int, int, str]:
    """(epoch, seq, hash) of the last fact of a lane in the current epoch."""
    epoch, seq, body = _one(connection, _HEAD, (lane,))
    return (epoch, 0, ZERO_HASH) if body is None else (epoch, seq, fact_hash(body))


def _one(connection: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    found = query(connection, sql, bindings)
    assert found, "the ledger has lost a row that it always has"
    return found[0]


def _heads(connection: apsw.Connection, epoch: int) -> dict[str, dict[str, Any]]:
    """Heads of the epoch before `epoch`, by lane: what the city may be missing or hold otherwise."""
    sql = "SELECT seq, body FROM fact WHERE lane = ? AND epoch = ? ORDER BY seq DESC LIMIT 1"
    heads: dict[str, dict[str, Any]] = {}
    for lane, number in rows.LANE_NUMBER.items():
        for seq, body in query(connection, sql, (number, epoch - 1)):
            heads[lane.value] = {"seq": seq, "hash": fact_hash(body)}
    return heads
