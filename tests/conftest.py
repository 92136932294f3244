"""What several rooms' tests need: a real PostgreSQL of their own."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A throw-away PostgreSQL on a Unix socket: `user@/{database}?host=...` to be filled in."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("NOT RUN ON POSTGRESQL: install Debian's postgresql to test both engines")
    home = Path(tempfile.mkdtemp(prefix="plaza-pg-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(home, "postgres", "postgres")
    binaries, data = found[-1].parent, home / "data"
    user = "postgres" if as_user else getpass.getuser()
    init = [binaries / "initdb", "-D", data, "-A", "trust", "--no-sync", "-E", "UTF8", "-U", user]
    subprocess.run([*as_user, *init], check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    start = [binaries / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start"]
    subprocess.run([*as_user, *start], check=True, stdout=subprocess.DEVNULL, cwd="/")
    try:
        yield f"postgresql://{user}@/{{database}}?host={home}"
    finally:
        stop = [binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run([*as_user, *stop], check=True, stdout=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of an empty database that no other test has."""
    name = f"city{next(_NUMBERS)}"
    url = postgres.format(database="postgres").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgres.format(database=name)
