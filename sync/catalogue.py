"""The catalogue on this node: read-only, thread-safe, and re-opened when a new one is swapped in.

It implements `municipio.usecases.ports.Catalogue`. A missing or damaged file is an empty catalogue that
says so in `problem`; nothing here ever writes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from municipio.predial import Account, SignedLiquidacion
from municipio.reports import Service
from municipio.terms import Terms, language_key
from municipio.tramites import Category, Tramite
from municipio.usecases.ports import TramiteHit
from sync.catalogue_snapshot import Snapshot, open_snapshot

_T = TypeVar("_T")
_FileId = tuple[int, int, int, int]


class CatalogueTrouble(StrEnum):
    MISSING = "missing"
    DAMAGED = "damaged"


def _same(text: str) -> str:
    return text


class SqliteCatalogue:
    """The newest catalogue at `path`. Every answer is whole: from one file, never half of two."""

    def __init__(self, path: Path, translate: Callable[[str], str] = _same) -> None:
        """`translate` turns the few fixed words of cost labels; the default keeps the Spanish."""
        self._path = path
        self._translate = translate
        self._lock = threading.Lock()
        self._opened: _FileId | None = None
        self._snapshot: Snapshot | None = None
        self._problem: CatalogueTrouble | None = CatalogueTrouble.MISSING

    @property
    def problem(self) -> CatalogueTrouble | None:
        """Why answers are empty, or None while a catalogue is open."""
        self._ask(lambda s: None, None)
        return self._problem

    def search_tramites(self, query: str, limit: int = 20) -> tuple[TramiteHit, ...]:
        """Best answers first. The cost labels without figures are msgids of `municipio.tramites`."""
        return self._ask(lambda s: s.search(query, limit), ())

    def tramite(self, tramite_id: str) -> Tramite | None:
        return self._ask(lambda s: s.tramite(tramite_id), None)

    def categories(self) -> tuple[Category, ...]:
        return self._ask(lambda s: s.categories, ())

    def tramites_in(self, category_id: str) -> tuple[TramiteHit, ...]:
        """Most consulted first."""
        return self._ask(lambda s: s.tramites_in(category_id), ())

    def most_consulted(self, limit: int = 6) -> tuple[TramiteHit, ...]:
        return self._ask(lambda s: s.by_consulted[: max(0, limit)], ())

    def account(self, clave: str) -> Account | None:
        return self._ask(lambda s: s.account(clave), None)

    def liquidacion(self, clave: str) -> SignedLiquidacion | None:
        """The bytes as the city signed them; None when the city sent none or they cannot be read."""
        return self._ask(lambda s: s.liquidacion(clave), None)

    def services(self) -> tuple[Service, ...]:
        return self._ask(lambda s: s.services, ())

    def colonias(self) -> tuple[str, ...]:
        return self._ask(lambda s: s.colonias, ())

    def terms(self, language: str) -> Terms | None:
        """By language, whatever the country: `es_MX` finds `es`."""
        return self._ask(lambda s: s.terms.get(language_key(language)), None)

    def emergency_numbers(self) -> tuple[tuple[str, str], ...]:
        return self._ask(lambda s: s.emergency, ())

    def recipient_keys(self, recipient: str) -> tuple[str, ...]:
        return self._ask(lambda s: s.recipients.get(recipient, ()), ())

    def content_date(self) -> date | None:
        return self._ask(lambda s: s.created, None)

    def content_version(self) -> str:
        """`YYYY-MM-DD.n` of the installed content; empty when there is none."""
        return self._ask(lambda s: s.version, "")

    def counts(self) -> tuple[int, int]:
        """(trámites, accounts) of the installed content."""
        return self._ask(lambda s: s.counts(), (0, 0))

    def close(self) -> None:
        with self._lock:
            self._drop(None, CatalogueTrouble.MISSING)

    def _ask(self, question: Callable[[Snapshot], _T], nothing: _T) -> _T:
        with self._lock:
            self._refresh()
            if self._snapshot is None:
                return nothing
            try:
                return question(self._snapshot)
            except sqlite3.DatabaseError:
                # Damaged on the card: say so once and for all until another file is swapped in.
                self._drop(self._opened, CatalogueTrouble.DAMAGED)
                return nothing

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            # A rename never leaves a gap: a vanished file keeps serving until another one appears.
            return
        file_id = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
        if file_id == self._opened:
            return
        try:
            fresh = open_snapshot(self._path, self._translate)
        except (sqlite3.DatabaseError, ValueError):
            self._drop(file_id, CatalogueTrouble.DAMAGED)
            return
        self._drop(file_id, None)
        self._snapshot = fresh

    def _drop(self, file_id: _FileId | None, problem: CatalogueTrouble | None) -> None:
        if self._snapshot is not None:
            self._snapshot.close()
        self._snapshot = None
        self._opened = file_id
        self._problem = problem
