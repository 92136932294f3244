"""Building the catalogue: one SQLite file, made whole beside the old one and swapped in by rename.

Whoever reads the old file keeps reading it; a crash or a full disk leaves it as it was.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from municipio.content import Content, ContentProblem, ContentTrouble
from municipio.padron import PADRON, PadronRow
from municipio.search import index_terms
from municipio.tramites import Tramite
from sync.padron_vault import PadronVault, make_vault

if TYPE_CHECKING:
    import sqlite_utils

SCHEMA_VERSION = 2
PHRASE_MARK = " | "
"""Parts the synonyms inside the index; the tokenizer skips it."""
_TEMP_PREFIX = ".catalogue-"

_INDEX = """
CREATE VIRTUAL TABLE tramites_search USING fts5(
  name, synonyms, other, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3 4'
)
"""


_PADRON = "CREATE TABLE padron (row_key BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID"
"""Without a rowid, which would keep the order of the city's list."""

_TABLES: tuple[tuple[str, dict[str, type], str | None], ...] = (
    ("meta", {"key": str, "value": str}, "key"),
    ("categories", {"id": str, "card": str}, None),
    ("services", {"code": str, "card": str}, None),
    ("colonias", {"name": str}, None),
    ("emergency", {"name": str, "number": str}, None),
    ("terms", {"language": str, "card": str}, "language"),
    ("recipients", {"recipient": str, "public_key": str}, None),
    (
        "tramites",
        {
            "id": str,
            "name": str,
            "dependency": str,
            "category": str,
            "cost": str,
            "consulted": int,
            "card": str,
        },
        None,
    ),
)
"""Tables and their columns; those without a key keep the order of their file in rowid."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was put in place."""

    version: str
    tramites: int
    accounts: int


@dataclass(frozen=True, slots=True)
class Former:
    """The padrón to start from: the sealed rows of `catalogue` without `gone`, to be `accounts` at last."""

    catalogue: Path
    gone: Sequence[str]
    accounts: int


def build_catalogue(
    target: Path,
    content: Content,
    padron: Iterable[PadronRow | ContentProblem],
    former: Former | None = None,
) -> Built | ContentProblem:
    """Make the catalogue and swap it in, or say why not and leave `target` as it was.

    The padrón goes in sealed, see `sync.padron_vault`; with `former` the rows given replace or join those
    that are there.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=_TEMP_PREFIX, suffix=".tmp", dir=target.parent)
    except OSError as e:
        return ContentProblem(
            "", f"the catalogue cannot be written: {e}", ContentTrouble.NOT_STORED
        )
    os.close(handle)
    draft = Path(name)
    try:
        built = _fill(draft, content, padron, make_vault(target), former)
        if isinstance(built, Built):
            _put_in_place(draft, target)
        return built
    except (OSError, sqlite3.Error) as e:
        return ContentProblem(
            "", f"the catalogue cannot be written: {e}", ContentTrouble.NOT_STORED
        )
    finally:
        draft.unlink(missing_ok=True)


def remove_drafts(folder: Path) -> None:
    """Delete what a power cut left of earlier builds. Only call it while no build can run."""
    for draft in folder.glob(f"{_TEMP_PREFIX}*.tmp*"):
        draft.unlink(missing_ok=True)


class _StopPadron(Exception):
    def __init__(self, problem: ContentProblem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def _fill(
    draft: Path,
    content: Content,
    padron: Iterable[PadronRow | ContentProblem],
    vault: PadronVault,
    former: Former | None,
) -> Built | ContentProblem:
    with contextlib.closing(sqlite3.connect(draft.as_uri(), uri=True)) as connection:
        # A draft that a power cut breaks is thrown away, so it needs no journal of its own.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -16384")
        import sqlite_utils  # whoever only reads a catalogue does without it

        db = sqlite_utils.Database(connection)
        try:
            for table, columns, key in _TABLES:
                db.table(table).create(columns, pk=key)
            _write_small(db, content)
            _write_tramites(db, content)
            accounts = _write_padron(connection, padron, vault, former)
        except _StopPadron as stop:
            return stop.problem
        connection.commit()
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        _check(connection, len(content.tramites), accounts)
    return Built(content.manifest.version, len(content.tramites), accounts)


def _write_small(db: sqlite_utils.Database, content: Content) -> None:
    meta = {
        "version": content.manifest.version,
        "created": content.manifest.created.isoformat(),
        "inegi": content.manifest.inegi,
    }
    rows: dict[str, Iterable[dict[str, Any]]] = {
        "meta": ({"key": k, "value": v} for k, v in meta.items()),
        "categories": ({"id": c.id, "card": _json(c)} for c in content.categories),
        "services": ({"code": s.code, "card": _json(s)} for s in content.services),
        "colonias": ({"name": name} for name in content.colonias),
        "emergency": ({"name": name, "number": number} for name, number in content.emergency),
        "terms": ({"language": t.language, "card": _json(t)} for t in content.terms),
        "recipients": (
            {"recipient": r, "public_key": k}
            for r, keys in content.recipients.items()
            for k in keys
        ),
    }
    for table, found in rows.items():
        db.table(table).insert_all(found)


def _write_tramites(db: sqlite_utils.Database, content: Content) -> None:
    db.table("tramites").insert_all(
        {
            "id": t.id,
            "name": t.name,
            "dependency": t.dependency,
            "category": t.category,
            "cost": _json(t.cost),
            "consulted": t.consulted,
            "card": _json(t),
        }
        for t in content.tramites
    )
    db.conn.execute(_INDEX)
    names = {c.id: c.name for c in content.categories}
    numbers = dict(db.conn.execute("SELECT id, rowid FROM tramites").fetchall())
    db.conn.executemany(
        "INSERT INTO tramites_search(rowid, name, synonyms, other) VALUES (?, ?, ?, ?)",
        ((numbers[t.id], *_searchable(t, names[t.category])) for t in content.tramites),
    )
    db.conn.execute("INSERT INTO tramites_search(tramites_search) VALUES ('optimize')")


def _searchable(tramite: Tramite, category: str) -> tuple[str, str, str]:
    """The three columns of the index, as stems, so that a query's stems are prefixes of them."""
    other = (tramite.dependency, tramite.unit, category, tramite.description, *tramite.obtains)
    return (
        " ".join(index_terms(tramite.name)),
        PHRASE_MARK.join(" ".join(index_terms(s)) for s in tramite.synonyms),
        " ".join(index_terms(" ".join(other))),
    )


def _write_padron(
    connection: sqlite3.Connection,
    padron: Iterable[PadronRow | ContentProblem],
    vault: PadronVault,
    former: Former | None,
) -> int:
    connection.execute(_PADRON)
    if former is not None:
        _copy_former(connection, vault, former)
    rows = (vault.seal(row) for row in _sound(padron))
    connection.executemany("INSERT OR REPLACE INTO padron (row_key, sealed) VALUES (?, ?)", rows)
    count = int(connection.execute("SELECT count(*) FROM padron").fetchone()[0])
    if former is not None and count != former.accounts:
        reason = f"there are {count} properties after the delta, not {former.accounts}"
        raise _StopPadron(ContentProblem(PADRON, reason))
    return count


def _copy_former(connection: sqlite3.Connection, vault: PadronVault, former: Former) -> None:
    """The sealed rows as they are: the site's secret is the same, so nothing is opened."""
    connection.commit()  # a database cannot be attached inside a transaction
    uri = f"{former.catalogue.absolute().as_uri()}?mode=ro&immutable=1"
    connection.execute("ATTACH DATABASE ? AS former", (uri,))
    connection.execute("INSERT INTO padron SELECT row_key, sealed FROM former.padron")
    connection.commit()
    connection.execute("DETACH DATABASE former")
    gone = ((vault.row_key(clave),) for clave in former.gone)
    connection.executemany("DELETE FROM padron WHERE row_key = ?", gone)


def _sound(padron: Iterable[PadronRow | ContentProblem]) -> Iterator[PadronRow]:
    for row in padron:
        if isinstance(row, ContentProblem):
            raise _StopPadron(row)
        yield row


def _check(connection: sqlite3.Connection, tramites: int, accounts: int) -> None:
    """Refuse a draft that does not read back what was written. Raises sqlite3.DatabaseError."""
    verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    counts = tuple(
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 (our own names)
        for table in ("tramites", "tramites_search", "padron")
    )
    if verdict != "ok" or counts != (tramites, tramites, accounts):
        raise sqlite3.DatabaseError(f"the new catalogue does not read back: {verdict}, {counts}")


def _put_in_place(draft: Path, target: Path) -> None:
    """fsync the file, rename it over the old one, fsync the folder: after a power cut, old or new."""
    _sync(draft, os.O_RDONLY)
    draft.chmod(0o644)
    draft.replace(target)
    _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
