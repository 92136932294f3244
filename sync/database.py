"""The ledger's SQLite file: the only module that opens it, with what makes a commit survive a cut.

WAL with synchronous=FULL, through apsw because the SQLite of Debian and of Python's own module can
damage a WAL file that two programs share (fixed in SQLite 3.51.3). Every promise is asserted at open.
A ledger is built whole beside its place and then linked in, so that a file that exists is never
legitimately empty; a damaged one is reported and never overwritten.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import apsw

from municipio.usecases.ports import NotRecorded, NotRecordedCause
from sync.seals import key_file
from sync.sharing import settle_file
from sync.whole_file import fsync

MIN_SQLITE = 3_051_003
BUSY_MS = 5_000
SCHEMA_VERSION = 5
"""Hundreds are the generation: a program opens any file of its own generation, also one whose schema is
newer, because schemas of one generation only add. So a node that goes back to its previous software
keeps its ledger."""
GENERATION = 100
APPLICATION_ID = 0x504C5A41
"""`PLZA`: `file` and technicians can tell a ledger from any other SQLite file."""

FULL_DISK_BYTES = 1024 * 1024

DAMAGE = (
    apsw.IOError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ReadOnlyError,
)
_OPEN_TROUBLE = (*DAMAGE, apsw.SQLError, apsw.FullError)


@dataclass(frozen=True, slots=True)
class LedgerDamaged:
    """The file cannot be trusted or, with `disk_full`, not be opened for want of room.

    It was left exactly as found. `__str__` is the sentence for a person, in Spanish and in English.
    """

    path: Path
    detail: str
    disk_full: bool = False
    can_salvage: bool = False
    """What is readable of it may be carried into a new file (`sync.salvage`)."""

    def __str__(self) -> str:
        if self.disk_full:
            return (
                f"No hay espacio en el disco del nodo: {self.path} no se pudo abrir "
                f"({self.detail}). No se tocó; libere espacio y vuelva a iniciar. / "
                f"The node's disk is full: {self.path} could not be opened. It was left untouched; "
                "free some space and start again."
            )
        return (
            f"El registro del nodo está dañado: {self.path} ({self.detail}). "
            "No se sobrescribió; guarde una copia y llame a soporte. / "
            f"The node's ledger is damaged: {self.path}. It was left untouched; "
            "keep a copy and call support."
        )


class LedgerUnreadable(Exception):
    """The file was damaged while it was open; nothing that it says can be believed any more."""


def create_database(path: Path, node_code: str, inegi: str, epoch: int = 1) -> None:
    """Build a new, empty ledger at `path` unless one is there; safe against a race and a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.new")
    part.unlink(missing_ok=True)
    try:
        build_database(part, node_code, inegi, epoch, "first" if epoch == 1 else "no_ledger")
        settle_file(part)
        fsync(part)
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
    fsync(path.parent)


def build_database(
    part: Path, node_code: str, inegi: str, epoch: int, reason: str, detail: str = "{}"
) -> None:
    """A new, empty ledger in a file that nobody uses yet."""
    connection = apsw.Connection(str(part))
    try:
        with connection:
            _migrate(connection, 0)
            connection.execute(
                "INSERT INTO node (one, node, inegi) VALUES (1, ?, ?)", (node_code, inegi)
            )
            connection.execute(
                "INSERT INTO epoch (epoch, reason, detail) VALUES (?, ?, ?)",
                (epoch, reason, detail),
            )
        connection.pragma("journal_mode", "wal")
    finally:
        connection.close()


def connect(path: Path, *, vfs: str = "") -> apsw.Connection | LedgerDamaged:
    """Open an existing ledger, checked: durable pragmas, our schema, no damaged page.

    A `vfs` written in Python has no shared memory, so with one the connection must be alone.
    """
    assert _library_is_safe(), "SQLite older than 3.51.3 can damage a shared WAL file"
    if path.stat().st_size == 0:
        return LedgerDamaged(path, "0 bytes", can_salvage=True)
    connection: apsw.Connection | None = None
    try:
        flags = apsw.SQLITE_OPEN_READWRITE
        connection = apsw.Connection(str(path), flags=flags, vfs=vfs or None)
        if vfs:
            connection.pragma("locking_mode", "exclusive")
        trouble = _prepare(connection, is_home=key_file(path).exists())
        damage = None
        if trouble is not None:
            damage = LedgerDamaged(path, trouble.detail, can_salvage=trouble.can_salvage)
    except _OPEN_TROUBLE as e:
        damage = cannot_open(path, e)
    if damage is not None:
        if connection is not None:
            connection.close()
        return damage
    assert connection is not None
    return connection


def cannot_open(path: Path, error: apsw.Error) -> LedgerDamaged:
    """Why a ledger could not be opened or made."""
    full = _is_disk_full(error, path)
    damaged = isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.IOError)
    return LedgerDamaged(path, str(error), full, can_salvage=damaged and not full)


def _library_is_safe() -> bool:
    major, minor, patch = (int(part) for part in apsw.sqlite_lib_version().split("."))
    return major * 1_000_000 + minor * 1_000 + patch >= MIN_SQLITE


@dataclass(frozen=True, slots=True)
class _Unfit:
    detail: str
    can_salvage: bool = False


def _prepare(connection: apsw.Connection, *, is_home: bool) -> _Unfit | None:
    """Set and assert what durability rests on; why the file cannot be used, or None."""
    connection.set_busy_timeout(BUSY_MS)
    connection.execute("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
    if connection.pragma("application_id") != APPLICATION_ID:
        # Where this node's ledger was, it is one whose header is damaged; elsewhere a foreign file.
        return _Unfit("not a ledger of Plaza", can_salvage=is_home)
    assert connection.pragma("journal_mode", "wal") == "wal", "the ledger needs WAL"
    connection.pragma("synchronous", 2)
    assert connection.pragma("synchronous") == 2, "the ledger needs synchronous=FULL"
    connection.pragma("journal_size_limit", 4 * 1024 * 1024)
    # What is erased or replaced (a paper, a sealed report) is zeroed, not left in free pages.
    connection.pragma("secure_delete", True)
    found = connection.pragma("quick_check", 1)
    if found != "ok":
        return _Unfit(" ".join(str(found).split()), can_salvage=True)
    version = connection.pragma("user_version")
    if version // GENERATION > SCHEMA_VERSION // GENERATION:
        return _Unfit(f"written by a newer version of Plaza (schema {version})")
    if version < SCHEMA_VERSION:
        with connection:
            _migrate(connection, version)
    return None


def _migrate(connection: apsw.Connection, version: int) -> None:
    """Run the scripts after `version`, inside the caller's transaction."""
    folder = resources.files("sync") / "schema"
    scripts = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    assert len(scripts) == SCHEMA_VERSION, "one script per schema version"
    for script in scripts[version:]:
        connection.execute((folder / script).read_text(encoding="utf-8"))
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", SCHEMA_VERSION)


def query(
    connection: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    """All rows of one statement; column types are the schema's, which apsw cannot know."""
    rows: list[tuple[Any, ...]] = connection.execute(sql, bindings).fetchall()
    return rows


def roll_back(connection: apsw.Connection) -> None:
    """Leave no transaction open after a failure, whatever state the file is in."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except apsw.ConnectionClosedError:
        return
    except apsw.Error:
        assert not connection.in_transaction, "a transaction that cannot be rolled back"


def not_recorded(error: apsw.Error, path: Path) -> NotRecorded:
    """What a failed transaction means. A programmer's error is raised again."""
    if _is_disk_full(error, path):
        return NotRecorded(NotRecordedCause.DISK_FULL, str(error))
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return NotRecorded(NotRecordedCause.LEDGER_BUSY, str(error))
    if isinstance(error, DAMAGE):
        return NotRecorded(NotRecordedCause.LEDGER_DAMAGED, str(error))
    raise error


def _is_disk_full(error: apsw.Error, path: Path) -> bool:
    """SQLite says "disk I/O error" where its shared memory finds no room, so the disk is asked too."""
    if isinstance(error, apsw.IOError | apsw.CantOpenError):
        return _free_bytes(path) < FULL_DISK_BYTES
    return isinstance(error, apsw.FullError)


def _free_bytes(path: Path) -> int:
    try:
        stat = os.statvfs(path.parent)
    except OSError:
        return FULL_DISK_BYTES
    return stat.f_bavail * stat.f_frsize
