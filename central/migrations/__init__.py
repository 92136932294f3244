"""The city's schema over time: which revision a database has, and the way to the newest.

Alembic does the work and is imported only when there is some; asking for the revision is one SELECT.
A database of before the first revision (it has tables but no mark) is adopted: its tables are those
of the first revision.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

FIRST = "0001"
HEAD = "0011"
"""The revision that this program reads and writes; a test holds it to the newest script."""

_MARK = "alembic_version"
_LOCK = 0x504C415A41
"""PostgreSQL advisory lock of whoever changes the schema: any fixed number of our own."""


def revision(connection: Connection) -> str:
    """The revision of this database; empty when nothing was ever made in it."""
    tables = set(inspect(connection).get_table_names())
    if _MARK in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found or "")
    return FIRST if "facts" in tables else ""


def is_known(found: str) -> bool:
    """True when the way from this revision to HEAD is in this program; revisions count upwards."""
    return found == "" or (found.isdigit() and FIRST <= found <= HEAD)


def migrate(connection: Connection) -> None:
    """Bring the schema to HEAD inside the caller's transaction; nothing when it is there already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = revision(connection)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    if found == FIRST:
        command.stamp(config, FIRST)
    command.upgrade(config, HEAD)
