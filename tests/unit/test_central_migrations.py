"""The schema over time: every way to the newest revision ends in the tables that the code reads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy.engine import make_url

import central.migrations
from central import migrations
from central.cli import main
from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.partitions import create_month, next_month, prepare_months
from central.problems import Problem
from central.schema import facts, metadata
from central.store import Store, StoreError, open_store
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

INEGI = "30039"
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture
def first_books(url: str) -> str:
    """A database of the first version, before revisions were marked, with three facts of a node."""
    driver = make_url(url)
    if driver.get_backend_name() == "postgresql":
        driver = driver.set(drivername="postgresql+psycopg")
    engine = create_engine(driver)
    with engine.begin() as connection:
        _run_to(connection, migrations.FIRST)
        connection.execute(text("DROP TABLE alembic_version"))
        for seq in (1, 2, 3):
            connection.execute(
                text(
                    "INSERT INTO facts (inegi, node, epoch, lane, seq, id, raw, hash, received_at) "
                    "VALUES ('30039', 'COA007', 1, 'rep', :seq, :id, :raw, 'h', :at)"
                ),
                {
                    "seq": seq,
                    "id": f"id-{seq}",
                    "raw": b"{}",
                    "at": f"2026-0{seq}-15T12:00:00.000Z",
                },
            )
        connection.execute(
            text("INSERT INTO heads VALUES ('30039', 'COA007', 1, 'rep', 3, 'h', 'then', 0)")
        )
    engine.dispose()
    return url


def _run_to(connection: Connection, revision: str) -> None:
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(Path(central.migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _differences(store: Store) -> list[object]:
    months = "facts_"  # partitions are the database's own affair

    def ours(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name == "facts" or not str(name).startswith(months)

    with store.begin() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, metadata))


def test_a_new_database_has_exactly_the_tables_that_the_code_reads(url: str) -> None:
    store = open_store(url)
    assert _differences(store) == []
    store.close()


def test_the_newest_script_is_the_revision_that_this_program_wants() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(central.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_the_first_books_come_to_the_newest_revision_with_every_fact(first_books: str) -> None:
    done = CliRunner().invoke(main, ["migrate", "--db", first_books])
    assert done.exit_code == 0, done.output
    store = open_store(first_books)
    assert _differences(store) == []
    with store.begin() as connection:
        kept = connection.execute(select(facts.c.seq, facts.c.raw).order_by(facts.c.seq)).all()
        ids = connection.scalars(text("SELECT id FROM fact_ids ORDER BY id")).all()
        head = connection.execute(text("SELECT through, failures, trouble FROM heads")).one()
    store.close()
    assert [(row.seq, bytes(row.raw)) for row in kept] == [(1, b"{}"), (2, b"{}"), (3, b"{}")]
    assert ids == ["id-1", "id-2", "id-3"]
    assert tuple(head) == (3, 0, "")


def test_migrating_twice_changes_nothing(first_books: str) -> None:
    for _ in range(2):
        open_store(first_books, migrating=True).close()
    store = open_store(first_books)
    assert _differences(store) == []
    store.close()


def test_an_older_postgresql_waits_for_the_command(postgres_url: str) -> None:
    open_store(postgres_url).close()
    _mark(postgres_url, migrations.FIRST)
    with pytest.raises(StoreError, match="plaza-central migrate"):
        open_store(postgres_url)


def test_a_database_of_a_newer_program_is_left_alone(url: str) -> None:
    open_store(url).close()
    _mark(url, "9999")
    with pytest.raises(StoreError, match="newer version"):
        open_store(url, migrating=True)


def _mark(url: str, revision: str) -> None:
    driver = make_url(url)
    if driver.get_backend_name() == "postgresql":
        driver = driver.set(drivername="postgresql+psycopg")
    engine = create_engine(driver)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": revision})
    engine.dispose()


def test_facts_of_postgresql_lie_in_the_month_of_their_arrival(postgres_url: str) -> None:
    store = open_store(postgres_url)
    node = NodeSimulator()
    add_node(store, INEGI, node.node, node.public, NOW, replace=False)
    with store.begin() as connection:
        prepare_months(connection, NOW)
    node.record(FactType.REPORT_FILED, {})
    assert isinstance(_take(store, node, NOW), Taken)
    node.record(FactType.REPORT_FILED, {})
    assert isinstance(_take(store, node, NOW.replace(year=2031)), Taken)
    with store.begin() as connection:
        names = inspect(connection).get_table_names()
        november = connection.scalar(text("SELECT count(*) FROM facts_2026_11"))
        other = connection.scalar(text("SELECT count(*) FROM facts_other"))
        create_month(connection, "2031-11")  # its facts are elsewhere already: left as it is
    store.close()
    assert {"facts_2026_11", "facts_2026_12", "facts_2027_01", "facts_2027_02"} <= set(names)
    assert (november, other) == (1, 1)


def _take(store: Store, node: NodeSimulator, at: datetime) -> Taken | Problem:
    batch = decode_batch(node.batch(Lane.REP))
    assert isinstance(batch, Batch)
    return take_batch(store, INEGI, batch, at)


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "2026-11'; DROP TABLE facts; --", ""])
def test_only_a_month_becomes_the_name_of_a_table(postgres_url: str, month: str) -> None:
    store = open_store(postgres_url)
    with store.begin() as connection, pytest.raises(ValueError, match="not a month"):
        create_month(connection, month)
    store.close()


def test_the_month_after_december_is_january() -> None:
    assert (next_month("2026-12"), next_month("2027-01")) == ("2027-01", "2027-02")
