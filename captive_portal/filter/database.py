"""A list file as the node reads it: names with their categories, its own facts, and since when.

It is a CDB. Keys are names in wire format, values what the name *and all its listed parents* are about,
sorted and joined by commas, so that the longest suffix found answers alone; `-` says that nothing below
may be blocked. Two kinds of keys cannot be names (a label's length is below 64): 0xFF "plaza" holds the
facts of the whole file as JSON, 0xFE and a name the day since which that name is listed, when it is
later than the file's `base`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from captive_portal.filter.cdb import CdbDamaged, CdbReader
from captive_portal.filter.names import parents, wire
from captive_portal.filter.policy import Category

FACTS_KEY = b"\xffplaza"
SINCE = b"\xfe"
EXCEPTION = b"-"
VERSION = 1
_VALUE = re.compile(rb"-|[a-z-]+(?:,[a-z-]+)*")


class ListFacts(msgspec.Struct, frozen=True):
    """One source of a file: its name without a folder, the SHA-256 of its text, names it gave."""

    name: str
    category: str
    sha256: str
    names: int


class Facts(msgspec.Struct, frozen=True):
    """What a list file says of itself. Dates are ISO days; `base` is the day of the first of its line."""

    kind: str
    v: int
    date: str
    base: str
    names: int
    categories: dict[str, int]
    values: list[str]
    lists: list[ListFacts]
    notice: str = ""
    """A line for whoever looks at the list, such as that it is a demonstration."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a file cannot serve as the node's list."""

    detail: str


def encode_facts(facts: Facts) -> bytes:
    return msgspec.json.encode(facts, order="deterministic")


def encode_value(categories: frozenset[Category]) -> bytes:
    return ",".join(sorted(categories)).encode("ascii") or EXCEPTION


def decode_value(value: bytes) -> frozenset[Category]:
    """Categories of a value; the empty set for an exception. Raises CdbDamaged."""
    if not _VALUE.fullmatch(value):
        raise CdbDamaged("a value that is not a list of categories")
    if value == EXCEPTION:
        return frozenset()
    try:
        return frozenset(Category(word) for word in value.decode("ascii").split(","))
    except ValueError:
        raise CdbDamaged("a category that this program does not know") from None


class Database:
    """An open list file. Look-ups raise CdbDamaged when the bytes turn out to be none."""

    def __init__(self, reader: CdbReader, facts: Facts) -> None:
        self._reader = reader
        self.facts = facts

    def close(self) -> None:
        self._reader.close()

    def entry(self, name: str) -> tuple[str, frozenset[Category]] | None:
        """The longest listed suffix of a name and its categories; None when nothing is listed."""
        for suffix in parents(name):
            value = self._reader.get(wire(suffix))
            if value is not None:
                return suffix, decode_value(value)
        return None

    def since(self, listed: str) -> date:
        """Since when a listed name is listed; for the oldest, the day of the first list of all."""
        stored = self._reader.get(SINCE + wire(listed))
        text = stored.decode("ascii", "replace") if stored else self.facts.base
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise CdbDamaged("a date that is none") from None

    def names(self) -> Iterator[tuple[bytes, bytes]]:
        """Names in wire format and their values, in the order of the file."""
        return ((k, v) for k, v in self._reader.records() if k[:1] not in (b"\xff", SINCE))


def open_cdb(path: Path) -> CdbReader | Unusable:
    """The file by its index alone; nothing in it is judged."""
    try:
        return CdbReader(path)
    except OSError as e:
        return Unusable(f"{path}: {e.strerror}")
    except CdbDamaged as e:
        return Unusable(f"{path}: {e}")


def open_database(path: Path) -> Database | Unusable:
    """Open a list file; quick at any size. `check_database` reads all of it."""
    reader = open_cdb(path)
    if isinstance(reader, Unusable):
        return reader
    try:
        raw = reader.get(FACTS_KEY)
        facts = msgspec.json.decode(raw or b"", type=Facts)
        date.fromisoformat(facts.date)
        date.fromisoformat(facts.base)
    except (CdbDamaged, ValueError):
        reader.close()
        return Unusable(f"{path}: not a list of Plaza")
    if facts.kind != "plaza-filter" or facts.v != VERSION:
        reader.close()
        return Unusable(f"{path}: a list of another version ({facts.kind[:20]} {facts.v})")
    return Database(reader, facts)


def check_database(path: Path) -> Facts | Unusable:
    """Read every record and compare with the file's own facts."""
    database = open_database(path)
    if isinstance(database, Unusable):
        return database
    try:
        counted = 0
        for key, value in database.names():
            decode_value(value)
            if key[-1:] != b"\0" or not 3 < len(key) <= 255:
                raise CdbDamaged("a key that is not a name")
            counted += 1
        if counted != database.facts.names:
            raise CdbDamaged(f"{counted} names, but it says {database.facts.names}")
    except CdbDamaged as e:
        return Unusable(f"{path}: {e}")
    finally:
        database.close()
    return database.facts
