"""The database as the rest of central sees it: transactions, on SQLite or PostgreSQL.

SQLite before 3.51.3 can corrupt a WAL file when two connections write and checkpoint at the same
moment (sqlite.org/wal.html, "The WAL-Reset Bug"), and Python brings the system's SQLite. So a SQLite
store has one connection, and a lock file keeps other processes out for the length of a transaction.
PostgreSQL needs none of that and gets a pool.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    and_,
    bindparam,
    create_engine,
    event,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from central.migrations import HEAD, is_known, migrate, revision
from central.partitions import prepare_months

_MANY = 20
"""From so many rows on, one statement with arrays is faster than one for each row."""

DEFAULT_URL = "sqlite:///central.sqlite"


class StoreError(Exception):
    """The database cannot be used; the message is fit for a terminal and names no password."""


class Store:
    """One city database. `begin()` is a transaction: committed on leaving, rolled back on an error."""

    def __init__(self, engine: Engine, lock_path: Path | None) -> None:
        self._engine = engine
        self._lock = _FileLock(lock_path) if lock_path else None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        if self._lock is None:
            with self._engine.begin() as connection:
                yield connection
            return
        with self._lock, self._engine.begin() as connection:
            yield connection

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    def close(self) -> None:
        """Close every connection; SQLite checkpoints its WAL here."""
        if self._lock is None:
            self._engine.dispose()
            return
        with self._lock:
            self._engine.dispose()
        self._lock.close()


def open_store(url: str, *, migrating: bool = False) -> Store:
    """Open a database; a new one gets its tables. Raises StoreError with a clear sentence.

    An older SQLite file is brought up to date at once. An older PostgreSQL database is left alone
    unless `migrating`, because other processes of the former version may still be using it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as e:
        raise StoreError(f"not a database URL: {url!r} (example: {DEFAULT_URL})") from e
    shown = parsed.render_as_string(hide_password=True)
    try:
        store = _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_pg(parsed)
        try:
            with store.begin() as connection:
                _prepare_schema(connection, shown, migrating=migrating)
        except BaseException:
            store.close()
            raise
    except (SQLAlchemyError, OSError, ImportError) as e:
        cause = getattr(e, "orig", None) or e
        raise StoreError(f"cannot open {shown}: {str(cause).splitlines()[0]}") from e
    return store


def _prepare_schema(connection: Connection, shown: str, *, migrating: bool) -> None:
    found = revision(connection)
    if not is_known(found):
        raise StoreError(f"{shown} is of a newer version of this program (revision {found})")
    if found and found != HEAD and connection.dialect.name != "sqlite" and not migrating:
        raise StoreError(
            f"{shown} is of an older version (revision {found}, this one needs {HEAD}); "
            "bring it up to date with: plaza-central migrate"
        )
    migrate(connection)
    prepare_months(connection, datetime.now(UTC))


def take_turn(connection: Connection, name: str, *, wait: bool) -> bool:
    """True when this transaction alone works on `name` until it ends; on SQLite there is no other."""
    if connection.dialect.name != "postgresql":
        return True
    key = func.hashtextextended(name, 0)
    if wait:
        connection.execute(select(func.pg_advisory_xact_lock(key)))
        return True
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, or None when the database is elsewhere."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows whose key is not there yet; the rest stay as they are."""
    if len(rows) < _MANY or connection.dialect.name != "postgresql":
        if rows:
            connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)
        return
    names = list(rows[0])
    new = postgresql.insert(table).from_select(names, select(_unnested(table, names)))
    connection.execute(new.on_conflict_do_nothing(), _arrays(rows))


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns; COPY on PostgreSQL, which is several times faster."""
    if connection.dialect.name != "postgresql":
        connection.execute(table.insert(), rows)
        return
    names = list(rows[0])
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(copy) as stream:
        for row in rows:
            stream.write_row([row[name] for name in names])


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], told: Column[str]
) -> Sequence[str]:
    """Insert rows whose key is not there yet; returns what the column holds in those that were."""
    if not rows:
        return ()
    if connection.dialect.name != "postgresql":
        statement = _insert(connection, table).on_conflict_do_nothing().returning(told)
        return connection.scalars(statement, rows).all()
    names = list(rows[0])
    new = postgresql.insert(table).from_select(names, select(_unnested(table, names)))
    return connection.scalars(new.on_conflict_do_nothing().returning(told), _arrays(rows)).all()


def update_many(
    connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Set the other columns of each row where `keys` are the row's; rows have the same columns."""
    if not rows:
        return
    changed = [name for name in rows[0] if name not in keys]
    if connection.dialect.name == "postgresql":
        new = _unnested(table, list(rows[0]))
        same = and_(*(table.c[name] == new.c[name] for name in keys))
        statement = update(table).where(same).values({name: new.c[name] for name in changed})
        connection.execute(statement, _arrays(rows))
        return
    mine = and_(*(table.c[name] == bindparam(f"key_{name}") for name in keys))
    named = [{f"key_{n}" if n in keys else n: v for n, v in row.items()} for row in rows]
    connection.execute(update(table).where(mine), named)


def _unnested(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """Rows as one array for each column: a statement with thousands of parameters is slow to read,
    and without statistics the planner may compare each of them with each row of the table."""
    arrays = (bindparam(f"new_{n}", type_=postgresql.ARRAY(table.c[n].type)) for n in names)
    return func.unnest(*arrays).table_valued(*names, name="new").render_derived()


def _arrays(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {f"new_{name}": [row[name] for row in rows] for name in rows[0]}


def upsert(
    connection: Connection, table: Table, row: Mapping[str, Any],
    once: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Insert a row, or replace the columns named in it where its primary key exists.

    The columns of `once` are for a new row alone.
    """
    statement = _insert(connection, table).values({**row, **(once or {})})
    keys = [c.name for c in table.primary_key]
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def add_up(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], column: str
) -> None:
    """Insert rows, or add the column of each to that of the row with its key."""
    if rows:
        statement = _insert(connection, table)
        summed = {column: table.c[column] + statement.excluded[column]}
        keys = [c.name for c in table.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=summed), rows)


def keep_newest(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    rank: Sequence[str],
) -> None:
    """Insert rows, or replace those with the same key that do not rank above; same columns in each."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = [c.name for c in table.primary_key]
    new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    newer = tuple_(*(statement.excluded[n] for n in rank)) >= tuple_(*(table.c[n] for n in rank))
    kept = statement.on_conflict_do_update(index_elements=keys, set_=new, where=newer)
    connection.execute(kept, rows)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _open_sqlite(url: URL) -> Store:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 30},
        hide_parameters=True,  # what is in a fact is not for a log
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    file = None if url.database in (None, "", ":memory:") else Path(str(url.database))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    return Store(engine, None if file is None else file.with_name(file.name + ".lock"))


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Autocommit at the driver: SQLAlchemy's own BEGIN below then says which transaction it wants.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _open_pg(url: URL) -> Store:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        raise StoreError(f"unknown database kind {url.drivername!r}: use sqlite or postgresql")
    engine = create_engine(
        url, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
    )
    return Store(engine, None)


class _FileLock:
    """One holder at a time, among threads and among processes. Not reentrant."""

    def __init__(self, path: Path) -> None:
        self._threads = threading.Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        self._threads.acquire()
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        os.close(self._fd)
