"""Merges sorted names of many lists into what each name means. Pure: lines in, entries out.

A line is a name from its top-level label down, a tab, and who says it: `com example www<TAB>3+` (list 3
blocks it), `3-` (list 3 wants it left alone), `!` (the city never blocks it). Sorted bytes put a parent
directly before everything below it, so that one pass with a short stack knows all parents of a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from captive_portal.filter.policy import Category

ALLOW = b"!"


def sort_line(name: str, who: bytes) -> bytes:
    return b" ".join(reversed(name.encode("ascii").split(b"."))) + b"\t" + who


def blocks(index: int) -> bytes:
    return b"%d+" % index


def spares(index: int) -> bytes:
    return b"%d-" % index


class Meaning(NamedTuple):
    """A name to write, with the categories of itself and all parents; none: an exception."""

    name: str
    categories: frozenset[Category]


class UnderAllowList(NamedTuple):
    name: str
    lists: int


Compiled = Meaning | UnderAllowList
NOTHING: frozenset[Category] = frozenset()


@dataclass(slots=True)
class _Level:
    prefix: bytes
    listed: int
    spared: int
    categories: frozenset[Category]
    allowed: bool


class Compiler:
    """`categories[i]` is what list `i` is about."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = categories
        self._sets: dict[int, frozenset[Category]] = {0: NOTHING}

    def run(self, lines: Iterable[bytes]) -> Iterator[Compiled]:
        """Entries in the order of the lines. Masks hold one bit per list."""
        stack = [_Level(b"", 0, 0, NOTHING, False)]
        for key, group in groupby(lines, key=lambda line: line.partition(b"\t")[0]):
            while not key.startswith(stack[-1].prefix):
                stack.pop()
            listed, spared, allowed = _who(group)
            parent = stack[-1]
            count = listed.bit_count()
            if parent.allowed or allowed:
                if count:
                    yield UnderAllowList(_forward(key), count)
                if parent.allowed:
                    continue
                listed, spared = 0, -1
            level = self._level(key, parent, listed, spared, allowed)
            stack.append(level)
            if allowed or level.categories != parent.categories:
                yield Meaning(_forward(key), level.categories)

    def _level(self, key: bytes, parent: _Level, listed: int, spared: int, allowed: bool) -> _Level:
        spared |= parent.spared
        mask = (parent.listed | listed) & ~spared
        return _Level(key + b" ", mask, spared, self._set(mask), allowed)

    def _set(self, mask: int) -> frozenset[Category]:
        known = self._sets.get(mask)
        if known is None:
            known = frozenset(c for i, c in enumerate(self._categories) if mask >> i & 1)
            self._sets[mask] = known
        return known


def _who(group: Iterable[bytes]) -> tuple[int, int, bool]:
    listed = spared = 0
    allowed = False
    for line in group:
        who = line.partition(b"\t")[2]
        if who == ALLOW:
            allowed = True
        elif who.endswith(b"+"):
            listed |= 1 << int(who[:-1])
        else:
            spared |= 1 << int(who[:-1])
    return listed, spared, allowed


def _forward(key: bytes) -> str:
    return b".".join(reversed(key.split(b" "))).decode("ascii")
