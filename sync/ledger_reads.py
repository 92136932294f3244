"""What screens read of the ledger: business rows, from one connection that threads may share."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import apsw

from municipio.cash import CashCount, CashMovement
from municipio.devices import CashPosition
from municipio.payments import Payment
from municipio.usecases.ports import FolioStub, PrintJob
from sync import rows
from sync.database import DAMAGE, LedgerDamaged, LedgerUnreadable, query

_CASH_COUNTS = """
SELECT kind, unit, amount, sum(count) FROM cash_movement
WHERE number >= (SELECT coalesce(max(number), 0) FROM cash_movement WHERE kind = 'cut')
GROUP BY kind, unit, amount ORDER BY min(number)
"""


class LedgerReads:
    """The reading half of `sync.ledger.SqliteLedger`."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    def payment(self, key: str) -> Payment | None:
        found = self._all("SELECT body FROM payment WHERE key = ?", (key,))
        return rows.read_payment(found[0]) if found else None

    def open_payments(self) -> tuple[Payment, ...]:
        return self._payments_with(rows.OPEN)

    def watched_payments(self) -> tuple[Payment, ...]:
        return self._payments_with(rows.WATCHED)

    def _payments_with(self, mark: int) -> tuple[Payment, ...]:
        # The first condition lets SQLite use the partial index.
        sql = "SELECT body FROM payment WHERE is_open AND is_open = ? ORDER BY number"
        found = self._all(sql, (mark,))
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
