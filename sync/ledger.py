"""The node's memory: facts and business rows in one transaction, on disk before anyone is told.

Kiosk, portal and sync worker each open the same file; SQLite's write lock settles their order, and
each fact's number and `prev` are read inside the transaction that stores it. Inside one program the
object may be shared by threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
from uuid_utils.compat import uuid7

from municipio.cash import CashCount, CashMovement
from municipio.clock import Clock
from municipio.devices import CashPosition
from municipio.facts import (
    MAX_FACT_BYTES,
    ZERO_HASH,
    FactDraft,
    FactError,
    FactType,
    encode_fact,
    fact_hash,
    lane_of,
    make_fact,
    node_urn,
)
from municipio.identifiers import make_folio
from municipio.payments import Payment
from municipio.usecases.ports import (
    Change,
    FolioStub,
    NotRecorded,
    NotRecordedCause,
    Numbered,
    PrintJob,
    Recorded,
    no_changes,
)
from sync import rows
from sync.attachments import named_attachments
from sync.database import (
    DAMAGE,
    LedgerDamaged,
    LedgerUnreadable,
    cannot_open,
    connect,
    create_database,
    not_recorded,
    query,
    roll_back,
)

_HEAD = """
SELECT e.epoch, f.seq, f.body
FROM (SELECT max(epoch) AS epoch FROM epoch) AS e
LEFT JOIN fact AS f ON f.lane = ?1 AND f.epoch = e.epoch
  AND f.seq = (SELECT max(seq) FROM fact WHERE lane = ?1 AND epoch = e.epoch)
"""
_CASH_COUNTS = """
SELECT kind, unit, amount, sum(count) FROM cash_movement
WHERE number >= (SELECT coalesce(max(number), 0) FROM cash_movement WHERE kind = 'cut')
GROUP BY kind, unit, amount ORDER BY min(number)
"""
_INSERT_FACT = "INSERT INTO fact (lane, epoch, seq, body) VALUES (?, ?, ?, ?)"


def open_ledger(
    path: Path, clock: Clock, node_code: str, inegi: str, *, vfs: str = ""
) -> SqliteLedger | LedgerDamaged:
    """Open the ledger at `path`, making an empty one if there is none. Never overwrites anything.

    `node_code` and `inegi` (5 digits) name the node; a ledger of another node is refused as damaged.
    `vfs` is the name of an apsw VFS, for tests that cut the power.
    """
    if not path.exists():
        try:
            create_database(path, node_code, inegi)
        except apsw.Error as e:
            return cannot_open(path, e)
    connection = connect(path, vfs=vfs)
    if isinstance(connection, LedgerDamaged):
        return connection
    owner = query(connection, "SELECT node, inegi FROM node")
    if owner != [(node_code, inegi)]:
        connection.close()
        return LedgerDamaged(path, f"it belongs to node {owner}, not to {node_code}")
    return SqliteLedger(path, connection, clock, node_code, inegi)


class SqliteLedger:
    """Implements `municipio.usecases.ports.CashLedger`, and with it `Ledger`."""

    def __init__(
        self, path: Path, connection: apsw.Connection, clock: Clock, node_code: str, inegi: str
    ) -> None:
        self.path = path
        self.clock = clock
        self.node_code = node_code
        self._source = node_urn(inegi, node_code)
        self._connection = connection
        self._lock = threading.RLock()
        self._poisoned = ""
        self._version = -1
        self._heads: dict[int, tuple[int, int, str]] = {}
        """(epoch, seq, hash) by lane, good while no other connection has written."""

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # --- writing --------------------------------------------------------------------------

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = no_changes
    ) -> Recorded | NotRecorded:
        """Number a draft and store it with its business rows; returns after the fsync.

        What `changes` raises is raised again, and nothing is stored. ValueError (from the codec) for
        a draft that cannot be a fact.
        """
        with self._lock:
            connection, heads = self._connection, self._heads
            self._heads = {}
            try:
                self._refuse_if_poisoned()
                connection.execute("BEGIN IMMEDIATE")
                (version,) = _one(connection, "PRAGMA data_version")
                if version != self._version:
                    self._version, heads = version, {}
                recorded = self._record_in(connection, draft, changes, heads)
                connection.execute("COMMIT")
            except apsw.Error as error:
                roll_back(connection)
                return self._failed(error)
            except BaseException:
                roll_back(connection)
                raise
            self._heads = heads
            return recorded

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        try:
            with self.transaction() as connection:
                at = self.clock.now()
                for change in changes:
                    rows.write_change(connection, change, at)
        except apsw.Error as error:
            return self._failed(error)
        return None

    def note_start(self, version: str) -> Recorded | NotRecorded | None:
        """Record `node.started` once per boot of the machine and epoch; None if it already was."""
        boot = self.clock.now().boot
        try:
            with self.transaction() as connection:
                epoch, reason = _one(
                    connection, "SELECT epoch, reason FROM epoch ORDER BY epoch DESC LIMIT 1"
                )
                mark = f"{epoch}:{boot}"
                if _one(connection, "SELECT started_boot FROM node") == (mark,):
                    return None
                connection.execute("UPDATE node SET started_boot = ?", (mark,))
                data = {"version": version, "reason": reason, "heads": _heads(connection, epoch)}
                draft = FactDraft(FactType.NODE_STARTED, data)
                return self._record_in(connection, draft, no_changes, {})
        except apsw.Error as error:
            return self._failed(error)

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

    def _record_in(
        self,
        connection: apsw.Connection,
        draft: FactDraft,
        changes: Callable[[Numbered], Sequence[Change]],
        heads: dict[int, tuple[int, int, str]],
    ) -> Recorded:
        """Number and store; `heads` are the chains' heads where they are surely known."""
        lane = lane_of(draft.type)
        number = rows.LANE_NUMBER[lane]
        epoch, last, prev = heads.get(number) or _read_head(connection, number)
        seq = last + 1
        at = self.clock.now()
        fact = make_fact(
            draft, id=uuid7(), source=self._source, epoch=epoch, seq=seq, prev=prev, at=at
        )
        folio = make_folio(self.node_code, lane, epoch, seq)
        raw = encode_fact(fact)
        if len(raw) > MAX_FACT_BYTES:
            raise FactError(f"fact of {len(raw)} bytes is over the limit of {MAX_FACT_BYTES}")
        connection.execute(_INSERT_FACT, (number, epoch, seq, raw))
        heads[number] = (epoch, seq, fact_hash(raw))
        if "attachments" in draft.data:
            rows.write_attachments(connection, (number, epoch, seq), named_attachments(draft.data))
        for change in changes(Numbered(fact.id, epoch, seq, folio)):
            rows.write_change(connection, change, at)
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

    # --- reading --------------------------------------------------------------------------

    def payment(self, key: str) -> Payment | None:
        found = self._all("SELECT body FROM payment WHERE key = ?", (key,))
        return rows.read_payment(found[0]) if found else None

    def open_payments(self) -> tuple[Payment, ...]:
        found = self._all("SELECT body FROM payment WHERE is_open ORDER BY number")
        return tuple(map(rows.read_payment, found))

    def payments_for(self, clave: str) -> tuple[Payment, ...]:
        found = self._all("SELECT body FROM payment WHERE clave = ? ORDER BY number", (clave,))
        return tuple(map(rows.read_payment, found))

    def payment_by_folio(self, folio: str) -> Payment | None:
        found = self._all(
            "SELECT body FROM payment WHERE json_extract(body, '$.folio') = ?", (folio,)
        )
        return rows.read_payment(found[0]) if found else None

    def folio(self, folio: str) -> FolioStub | None:
        sql = f"SELECT {rows.FOLIO_COLUMNS} FROM folio WHERE folio = ?"  # noqa: S608 - constants
        found = self._all(sql, (folio,))
        return rows.read_folio(found[0]) if found else None

    def print_job(self, job_id: str) -> PrintJob | None:
        sql = f"SELECT {rows.PRINT_JOB_COLUMNS} FROM print_job WHERE id = ?"  # noqa: S608 - constants
        found = self._all(sql, (job_id,))
        return rows.read_print_job(found[0]) if found else None

    def print_jobs_for(self, folio: str) -> tuple[PrintJob, ...]:
        columns = rows.PRINT_JOB_COLUMNS
        sql = f"SELECT {columns} FROM print_job WHERE folio = ? ORDER BY number"  # noqa: S608 - constants
        return tuple(map(rows.read_print_job, self._all(sql, (folio,))))

    def cash_movements(self, payment: str) -> tuple[CashMovement, ...]:
        sql = f"SELECT {rows.CASH_COLUMNS} FROM cash_movement WHERE payment = ? ORDER BY number"  # noqa: S608 - constants
        return tuple(map(rows.read_movement, self._all(sql, (payment,))))

    def cash_positions(self) -> tuple[CashPosition, ...]:
        sql = "SELECT unit, serial, counter, accepted FROM cash_position ORDER BY unit"
        return tuple(map(rows.read_position, self._all(sql)))

    def cash_counts(self) -> tuple[CashCount, ...]:
        return tuple(map(rows.read_count, self._all(_CASH_COUNTS)))

    def _all(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Raises LedgerUnreadable when the file was damaged since it was opened."""
        with self._lock:
            try:
                return query(self._connection, sql, bindings)
            except DAMAGE as e:
                raise LedgerUnreadable(str(LedgerDamaged(self.path, str(e)))) from e


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
