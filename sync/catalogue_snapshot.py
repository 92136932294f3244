"""One opened catalogue file: the small tables in memory, the padrón and the cards read on demand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from municipio.padron import PadronRow
from municipio.predial import Account, SignedLiquidacion
from municipio.reports import Service
from municipio.terms import Terms
from municipio.tramites import Category, Cost, Tramite, cost_label
from municipio.usecases.ports import TramiteHit
from sync.catalogue_build import SCHEMA_VERSION
from sync.catalogue_search import SearchIndex, open_index
from sync.padron_vault import PadronVault, load_vault

_T = TypeVar("_T")

_PLAIN_PADRON = 1
"""The layout before the padrón was sealed: all of it is served but the padrón."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Answers of one catalogue file. Not thread-safe: `sync.catalogue` asks under its lock."""

    connection: sqlite3.Connection
    index: SearchIndex
    hits: Mapping[str, TramiteHit]
    by_consulted: tuple[TramiteHit, ...]
    version: str
    created: date
    categories: tuple[Category, ...]
    services: tuple[Service, ...]
    colonias: tuple[str, ...]
    emergency: tuple[tuple[str, str], ...]
    terms: Mapping[str, Terms]
    recipients: Mapping[str, tuple[str, ...]]
    vault: PadronVault | None
    """None when the site's secret is gone: the padrón cannot be read, all else can."""

    def search(self, query: str, limit: int) -> tuple[TramiteHit, ...]:
        found = self.index.search(query, limit)
        return tuple(replace(self.hits[s.id], score=s.score) for s in found)

    def tramite(self, tramite_id: str) -> Tramite | None:
        row = self._one("SELECT card FROM tramites WHERE id = ?", tramite_id)
        return None if row is None else _card(row[0], Tramite)

    def tramites_in(self, category_id: str) -> tuple[TramiteHit, ...]:
        return tuple(h for h in self.by_consulted if h.category == category_id)

    def account(self, clave: str) -> Account | None:
        row = self._padron_row(clave)
        return None if row is None else row.account

    def liquidacion(self, clave: str) -> SignedLiquidacion | None:
        row = self._padron_row(clave)
        return None if row is None else row.liquidacion

    def _padron_row(self, clave: str) -> PadronRow | None:
        if self.vault is None:
            return None
        found = self._one("SELECT sealed FROM padron WHERE row_key = ?", self.vault.row_key(clave))
        return None if found is None else self.vault.open(clave, found[0])

    def counts(self) -> tuple[int, int]:
        accounts = self.connection.execute("SELECT count(*) FROM padron").fetchone()[0]
        return len(self.hits), int(accounts)

    def close(self) -> None:
        self.connection.close()

    def _one(self, sql: str, value: str | bytes) -> Any:
        return self.connection.execute(sql, (value,)).fetchone()


def open_snapshot(path: Path, translate: Callable[[str], str]) -> Snapshot:
    """Open read-only. Raises sqlite3.DatabaseError or ValueError when it is no catalogue of ours."""
    # immutable=1: the file is never written after its rename, so no locks and no journal are looked for.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    try:
        return _read(connection, translate, load_vault(path))
    except BaseException:
        connection.close()
        raise


def _read(
    connection: sqlite3.Connection, translate: Callable[[str], str], vault: PadronVault | None
) -> Snapshot:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in (_PLAIN_PADRON, SCHEMA_VERSION):
        raise ValueError(f"catalogue layout {found} is not {SCHEMA_VERSION}")
    if found == _PLAIN_PADRON:
        vault = None  # an update must not close the node until new content comes
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    rows = connection.execute(
        "SELECT id, name, dependency, category, cost FROM tramites ORDER BY consulted DESC, name"
    ).fetchall()
    ranked = tuple(_hit(row, translate) for row in rows)
    recipients: dict[str, tuple[str, ...]] = {}
    for name, key in connection.execute("SELECT recipient, public_key FROM recipients"):
        recipients[name] = (*recipients.get(name, ()), key)
    return Snapshot(
        connection=connection,
        index=open_index(connection),
        hits={h.id: h for h in ranked},
        by_consulted=ranked,
        version=meta["version"],
        created=date.fromisoformat(meta["created"]),
        categories=_cards(connection, "SELECT card FROM categories ORDER BY rowid", Category),
        services=_cards(connection, "SELECT card FROM services ORDER BY rowid", Service),
        colonias=tuple(
            r[0] for r in connection.execute("SELECT name FROM colonias ORDER BY rowid")
        ),
        emergency=tuple(
            (name, number)
            for name, number in connection.execute(
                "SELECT name, number FROM emergency ORDER BY rowid"
            )
        ),
        terms={t.language: t for t in _cards(connection, "SELECT card FROM terms", Terms)},
        recipients=recipients,
        vault=vault,
    )


def _hit(row: tuple[str, str, str, str, str], translate: Callable[[str], str]) -> TramiteHit:
    id_, name, dependency, category, cost = row
    label = cost_label(_card(cost, Cost), translate)
    return TramiteHit(id_, name, dependency, label, category, 0.0)


def _cards(connection: sqlite3.Connection, sql: str, kind: type[_T]) -> tuple[_T, ...]:
    return tuple(_card(row[0], kind) for row in connection.execute(sql))


def _card(text: str, kind: type[_T]) -> _T:
    return msgspec.json.decode(text, type=kind)
