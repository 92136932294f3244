"""Business rows as SQLite holds them: one upsert per kind, and back. No connection is opened here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apsw
import msgspec

from municipio.cash import CashCount, CashMovement, MovementKind
from municipio.clock import Instant
from municipio.devices import CashPosition, CashUnit, PrintVerdict
from municipio.facts import LANES, Lane, format_time
from municipio.payments import OPEN_STATES, Payment
from municipio.receipts import PaperKind
from municipio.usecases.ports import AttachmentRef, Change, FolioStub, PrintJob

NEVER_KEPT = frozenset({PaperKind.REPORTE.value})
"""Papers with words that a person typed (a street): their bytes are printed and never stored."""

LANE_NUMBER: dict[Lane, int] = {lane: number for number, lane in enumerate(LANES)}

OPEN, WATCHED = 1, 2
"""Values of payment.is_open: a restart must look after it; only a late approval could change it."""

PRINT_JOB_COLUMNS = "id, folio, kind, copy, sha256, rendered, verdict, cause"
FOLIO_COLUMNS = "folio, kind, state, opened_on, detail"

_PAYMENT = """
INSERT INTO payment (key, clave, is_open, body) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET clave = excluded.clave, is_open = excluded.is_open, body = excluded.body
"""
_FOLIO = (
    "INSERT OR REPLACE INTO folio (folio, kind, state, opened_on, detail) VALUES (?, ?, ?, ?, ?)"
)
_PRINT_JOB = """
INSERT INTO print_job
  (id, folio, kind, copy, sha256, rendered, verdict, cause, time, boot, boot_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
  folio = excluded.folio, kind = excluded.kind, copy = excluded.copy, sha256 = excluded.sha256,
  rendered = excluded.rendered, verdict = excluded.verdict, cause = excluded.cause,
  time = excluded.time, boot = excluded.boot, boot_ms = excluded.boot_ms
"""

CASH_COLUMNS = "id, payment, kind, unit, amount, count, dispensed"
_CASH = """
INSERT INTO cash_movement
  (id, payment, kind, unit, amount, count, dispensed, time, boot, boot_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""
_ATTACHMENT = """
INSERT INTO attachment (sha256, bytes, media_type, lane, epoch, seq) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (sha256) DO NOTHING
"""
_POSITION = (
    "INSERT OR REPLACE INTO cash_position (unit, serial, counter, accepted) VALUES (?, ?, ?, ?)"
)


def write_change(cursor: apsw.Cursor, change: Change, at: Instant) -> None:
    """Insert or replace one business row, inside the caller's transaction."""
    if isinstance(change, Payment):
        body = msgspec.json.encode(change).decode()
        is_open = OPEN if change.state in OPEN_STATES else WATCHED if change.looks_left else 0
        row: tuple[Any, ...] = (change.key, change.clave, is_open, body)
        cursor.execute(_PAYMENT, row)
    elif isinstance(change, FolioStub):
        detail = msgspec.json.encode(change.detail).decode()
        row = (change.folio, change.kind, change.state, change.opened_on, detail)
        cursor.execute(_FOLIO, row)
    elif isinstance(change, CashMovement):
        cursor.execute(_CASH, (*_movement_row(change), *_instant_row(at)))
    elif isinstance(change, CashPosition):
        row = (change.unit.value, change.serial, change.counter, change.accepted)
        cursor.execute(_POSITION, row)
    else:
        cursor.execute(_PRINT_JOB, (*_print_job_row(change), *_instant_row(at)))


def write_attachments(
    cursor: apsw.Cursor, place: tuple[int, int, int], refs: Iterable[AttachmentRef]
) -> None:
    """Note the files that the fact at (lane, epoch, seq) names; a file named before stays as it is."""
    for ref in refs:
        row = (ref.sha256, ref.bytes, ref.media_type, *place)
        cursor.execute(_ATTACHMENT, row)


def _print_job_row(job: PrintJob) -> tuple[Any, ...]:
    return (
        job.id,
        job.folio,
        job.kind,
        job.copy,
        job.sha256,
        b"" if job.kind in NEVER_KEPT else job.rendered,
        job.verdict.value,
        job.cause,
    )


def _movement_row(movement: CashMovement) -> tuple[Any, ...]:
    return (
        movement.id,
        movement.payment,
        movement.kind.value,
        movement.unit.value,
        movement.amount_centavos,
        movement.count,
        movement.dispensed,
    )


def _instant_row(at: Instant) -> tuple[str, str, int]:
    trusted = format_time(at.time) if at.time is not None and at.is_trusted else ""
    return (trusted, at.boot, at.boot_ms)


def read_payment(row: tuple[Any, ...]) -> Payment:
    return msgspec.json.decode(row[0], type=Payment)


def read_folio(row: tuple[Any, ...]) -> FolioStub:
    folio, kind, state, opened_on, detail = row
    return FolioStub(folio, kind, state, opened_on, msgspec.json.decode(detail))


def read_print_job(row: tuple[Any, ...]) -> PrintJob:
    job_id, folio, kind, copy, sha256, rendered, verdict, cause = row
    return PrintJob(
        job_id, folio, kind, copy, sha256, bytes(rendered), PrintVerdict(verdict), cause
    )


def read_movement(row: tuple[Any, ...]) -> CashMovement:
    movement_id, payment, kind, unit, amount, count, dispensed = row
    return CashMovement(
        movement_id, payment, MovementKind(kind), CashUnit(unit), amount, count, dispensed
    )


def read_position(row: tuple[Any, ...]) -> CashPosition:
    unit, serial, counter, accepted = row
    return CashPosition(CashUnit(unit), serial, counter, accepted)


def read_count(row: tuple[Any, ...]) -> CashCount:
    kind, unit, amount, count = row
    return CashCount(MovementKind(kind), CashUnit(unit), amount, count)
