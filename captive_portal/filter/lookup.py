"""Why a name does not resolve here: what a block page and a technician ask. Remembers nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime

from captive_portal.filter.cdb import CdbDamaged
from captive_portal.filter.database import Database, Facts, Unusable, open_database
from captive_portal.filter.names import NameProblem, is_within, parents, parse_name
from captive_portal.filter.policy import Category, FilterPolicy
from captive_portal.filter.store import ListStore

GRAVEST_FIRST = (
    Category.PHISHING, Category.MALWARE, Category.ADULT, Category.VIOLENCE, Category.DRUGS,
    Category.GAMBLING, Category.DOH_VPN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blocked:
    """`category` is the gravest of those that apply; None when the site itself names it.

    `since` is the date of the list that first held it; None when nobody knows.
    """

    category: Category | None
    since: date | None
    name: str
    """The listed name: the one asked for or a parent of it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing of the lists or of the site forbids the name."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No list can be read: only the walled garden resolves. `detail` is for the technician."""

    detail: str


Answer = Blocked | Allowed | Unreadable


class Filter:
    """One site's policy over the node's list. Safe in threads; a new list is noticed at the next call."""

    def __init__(self, store: ListStore, policy: FilterPolicy) -> None:
        self._store = store
        self._policy = policy
        self._lock = threading.Lock()
        self._open: tuple[tuple[object, ...], Database] | None = None

    def look_up(self, name: str, local: datetime | None = None) -> Answer:
        """What the filter does with a name (a Host header, a typed name) at that local time.

        None as the time means every hour. Text that is no name is Allowed: it never resolved.
        """
        asked = parse_name(name, broad=True)
        if isinstance(asked, NameProblem):
            return Allowed()
        with self._lock:
            database = self._database()
            if isinstance(database, Unusable):
                return Unreadable(database.detail)
            try:
                return self._judge(database, asked, self._policy.blocked_at(local))
            except CdbDamaged as e:
                return Unreadable(str(e))

    def facts(self) -> Facts | Unreadable:
        """What the list in use says of itself: its date, names and sources."""
        with self._lock:
            database = self._database()
        return Unreadable(database.detail) if isinstance(database, Unusable) else database.facts

    def _judge(self, database: Database, asked: str, blocked: frozenset[Category]) -> Answer:
        entry = database.entry(asked)
        if entry and not entry[1]:
            return Allowed()
        if _named(asked, self._policy.allow):
            return Allowed()
        if by_site := _named(asked, self._policy.block):
            return Blocked(None, None, by_site)
        if entry is None:
            return Allowed()
        gravest = next((c for c in GRAVEST_FIRST if c in entry[1] & blocked), None)
        if gravest is None:
            return Allowed()
        return Blocked(gravest, database.since(entry[0]), entry[0])

    def _database(self) -> Database | Unusable:
        details = []
        for path in self._store.candidates:
            try:
                found = path.stat()
            except OSError as e:
                details.append(f"{path}: {e.strerror}")
                continue
            mark = (path, found.st_ino, found.st_mtime_ns, found.st_size)
            if self._open and self._open[0] == mark:
                return self._open[1]
            fresh = open_database(path)
            if isinstance(fresh, Database):
                if self._open:
                    self._open[1].close()
                self._open = (mark, fresh)
                return fresh
            details.append(fresh.detail)
        return Unusable("; ".join(details))


def _named(asked: str, names: tuple[str, ...]) -> str:
    """The longest of `names` that is the name asked for or a parent of it; empty: none."""
    listed = set(names)
    return next((n for n in parents(asked) if n in listed and is_within(asked, n)), "")
