"""What a disk holds when its power goes at a given moment: a value decided by a seed.

The rule of a disk with a cache: what was completed before the last completed flush is there. Of the
writes since then each is there, is not, or (a card in the middle of a page) is there in some of its
sectors. Nothing that was completed after the cut is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rig.writelog import Entry, WriteLog


class Fate(StrEnum):
    """What happens to the writes that no flush has covered."""

    ALL_LOST = "all_lost"
    ALL_KEPT = "all_kept"
    SOME_LOST = "some_lost"
    TORN = "torn"


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes when `at` requests were completed."""

    at: int
    fate: Fate
    seed: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that reached the disk: `length` of them at `offset`, to be read at `data_at` of the log.

    `data_at` is -1 for what was discarded, which reads as zeros.
    """

    offset: int
    length: int
    data_at: int


def draw_cuts(log: WriteLog, count: int, seed: int, first: int = 0) -> tuple[Cut, ...]:
    """`count` moments from entry `first` on, in the order of the log; each with a fate and a seed.

    A moment right after a request is as likely as any other, so bursts of writes are cut more often
    than quiet minutes, as they should be.
    """
    chance = random.Random(seed)
    moments = sorted(chance.randint(first, len(log.entries)) for _ in range(count))
    fates = tuple(Fate)
    return tuple(
        Cut(at, fates[n % len(fates)], chance.getrandbits(32)) for n, at in enumerate(moments)
    )


def last_flush(log: WriteLog, at: int) -> int:
    """How many of the first `at` requests are certain: all up to the last flush among them."""
    return next((n + 1 for n in range(at - 1, -1, -1) if log.entries[n].is_flush), 0)


def certain(log: WriteLog, start: int, stop: int) -> Iterator[Piece]:
    """The whole of requests `start` to `stop`, in order."""
    for entry in log.entries[start:stop]:
        yield from _whole(entry)


def loose(log: WriteLog, cut: Cut) -> Iterator[Piece]:
    """What of the writes after the last flush is there after all, in order."""
    chance = random.Random(cut.seed)
    for entry in log.entries[last_flush(log, cut.at) : cut.at]:
        fate = Fate.ALL_KEPT if entry.is_durable else cut.fate
        if fate is Fate.TORN:
            yield from _torn(entry, log.sector_size, chance)
        elif fate is Fate.ALL_KEPT or (fate is Fate.SOME_LOST and chance.random() < 0.5):
            yield from _whole(entry)


def _whole(entry: Entry) -> Iterator[Piece]:
    if entry.is_write:
        yield Piece(entry.offset, entry.length, entry.data_at)
    elif entry.is_discard and entry.length:
        yield Piece(entry.offset, entry.length, -1)


def _torn(entry: Entry, sector: int, chance: random.Random) -> Iterator[Piece]:
    """Some sectors of a write; a discard is done or not. Never more than the write had."""
    if not entry.is_write:
        if chance.random() < 0.5:
            yield from _whole(entry)
        return
    for start in range(0, entry.length, sector):
        if chance.random() < 0.5:
            yield Piece(entry.offset + start, sector, entry.data_at + start)
