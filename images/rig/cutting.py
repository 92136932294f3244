"""One life of a node up to the plug, known from outside: its first disk, its writes, what it told.

From this any other end of the same life can be had, and judged.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rig.judge import Verdict, judge
from rig.powercut import Cut, Fate, draw_cuts
from rig.replay import Replayer
from rig.told import Promise, expected
from rig.writelog import FLUSH, WriteLog


@dataclass(frozen=True, slots=True)
class Cutting:
    """`before` is the disk before its first write; `data` is where on it the data partition lies.

    `folder` is the node's place in that partition, `owner` its code and municipality.
    """

    before: Path
    log_file: Path
    log: WriteLog
    heard: tuple[Promise, ...]
    data: tuple[int, int]
    folder: str
    owner: tuple[str, str]
    work: Path

    @property
    def first(self) -> int:
        """Requests that were completed when the first promise was heard."""
        return self.heard[0].by

    def replayer(self, log: WriteLog, span: tuple[int, int]) -> Replayer:
        return Replayer(log, self.log_file, self.before, span, self.work)

    def judged(self, log: WriteLog, cuts: tuple[Cut, ...]) -> Iterator[tuple[Cut, Verdict]]:
        """Each cut's data partition, repaired and judged. Cuts stand in the order of the log."""
        part = self.work / "cut.part"
        with closing(self.replayer(log, self.data)) as replayer:
            for cut in cuts:
                replayer.leave(cut, part)
                yield cut, self.verdict(part, cut.at)
        part.unlink(missing_ok=True)

    def verdict(self, part: Path, at: int) -> Verdict:
        """Of a data partition (it is repaired) that must hold what was told by request `at`."""
        return judge(part, self.folder, self.owner, expected(self.heard, at), self.work)


@dataclass(slots=True)
class Ends:
    """How many cuts came to what, and what was looked for."""

    by_fate: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[Cut, tuple[str, ...]]] = field(default_factory=list)
    cuts: int = 0
    promises: int = 0
    seconds: float = 0.0

    def figures(self) -> dict[str, object]:
        return {
            "cuts": self.cuts, "by_fate": dict(self.by_fate), "promises_looked_for": self.promises,
            "broken": len(self.broken), "seconds_a_cut": round(self.seconds / max(1, self.cuts), 2),
        }  # fmt: skip


def cut_often(cutting: Cutting, count: int, seed: int) -> Ends:
    """Cuts at `count` moments from the first promise on, by every fate."""
    ends, began = Ends(), time.monotonic()
    for cut, verdict in cutting.judged(
        cutting.log, draw_cuts(cutting.log, count, seed, first=cutting.first)
    ):
        ends.cuts += 1
        ends.by_fate[cut.fate.value] += 1
        ends.promises += verdict.promises
        ends.broken += [(cut, verdict.broken)] if verdict.broken else []
    ends.seconds = time.monotonic() - began
    return ends


def cut_on_a_liar(cutting: Cutting, count: int, seed: int) -> tuple[int, int]:
    """The same life on a disk that ignores flushes: how many cuts were found out, of how many.

    Shows that the judge can tell. Flushes before the first promise stay, so that there is a node at all.
    """
    lied = (replace(e, flags=e.flags & ~FLUSH) for e in cutting.log.entries[cutting.first :])
    log = WriteLog(cutting.log.sector_size, (*cutting.log.entries[: cutting.first], *lied))
    moments = draw_cuts(log, count, seed, first=(cutting.first + len(log.entries)) // 2)
    cuts = tuple(replace(cut, fate=Fate.SOME_LOST) for cut in moments)
    found_out = sum(bool(verdict.broken) for _, verdict in cutting.judged(log, cuts))
    return found_out, len(cuts)
