"""What several rooms' tests need: a real PostgreSQL of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import create_engine, text

from central.trial_postgres import NoPostgres, trial_postgres

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A running PostgreSQL: its URL with `{database}` to be filled in."""
    try:
        with trial_postgres(("fsync=off",)) as url:
            yield url
    except NoPostgres as missing:
        pytest.skip(f"NOT RUN ON POSTGRESQL: {missing} to test both engines")


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database that no other test has.

    It goes when its test ends: hundreds of them, removed together at the end, took minutes on a busy disk.
    """
    name = f"city{next(_NUMBERS)}"
    url = postgres.format(database="postgres").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield postgres.format(database=name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
