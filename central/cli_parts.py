"""What the commands of `plaza-central` share: their options, their database, their way to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from central.city import City
from central.keys import KeysError
from central.nodes import NodeError
from central.store import DEFAULT_URL, Store, StoreError, open_store, sqlite_file
from municipio.wire.keys import KeyFormatError

DEMO_CITY = City()
_F = TypeVar("_F", bound=Callable[..., Any])


def db_options(function: _F) -> _F:
    """Where the database is, and which municipality in it."""
    db = click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB",
                      help="SQLAlchemy URL: sqlite:///FILE or postgresql://...")  # fmt: skip
    inegi = click.option("--inegi", default=DEMO_CITY.inegi, show_default=True,
                         help="INEGI code of the municipality, five digits.")  # fmt: skip
    return db(inegi(function))


def keys_option(function: _F) -> _F:
    return click.option(
        "--keys", type=click.Path(path_type=Path, file_okay=False), envvar="PLAZA_CITY_KEYS",
        help="Directory of the city's keys; by default city-keys/ beside the SQLite file.",
    )(function)  # fmt: skip


@contextmanager
def clear_errors() -> Iterator[None]:
    """Expected trouble is one line on stderr and exit 1."""
    try:
        yield
    except (StoreError, KeysError, NodeError, KeyFormatError) as e:
        raise click.ClickException(str(e)) from e
    except OSError as e:
        raise click.ClickException(f"{e.filename or 'central'}: {e.strerror or e}") from e


@contextmanager
def opened(db: str) -> Iterator[Store]:
    store = open_store(db)
    try:
        yield store
    finally:
        store.close()


def keys_dir(db: str, keys: Path | None) -> Path:
    if keys is not None:
        return keys
    file = sqlite_file(db)
    if file is None:
        raise click.UsageError("this database is no file; say where the city's keys are: --keys")
    return file.parent / "city-keys"
