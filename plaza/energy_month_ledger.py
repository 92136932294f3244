"""A simulated month's facts in the real ledger, which loses its power each time that the node does."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import NotRecorded
from plaza.energy_month import FIRST_DAY
from sync.database import LedgerDamaged
from sync.ledger import SqliteLedger, open_ledger
from sync.verify import verify_ledger

TORN_BYTES = 6000


class MonthFailed(RuntimeError):
    """The ledger could not be opened or written: the month shows nothing."""


class LedgerMemory:
    """`folder` is emptied. A cut leaves the files as they stand, with a torn write at the end."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311  torn bytes need no secrets
        self._boot = self._minute = 0
        self._ledger = self._open()

    def now(self) -> Instant:
        """The node of the month has no battery clock and sees no network: it knows only its boots."""
        return Instant(FIRST_DAY, TimeQuality.FLOOR, f"boot-{self._boot}", self._minute * 60_000)

    def record(self, minute: int) -> None:
        self._minute = minute
        draft = FactDraft(FactType.SURVEY_ANSWERED, {"n": minute, "answer": "demostración"})
        if isinstance(self._ledger.record(draft), NotRecorded):
            raise MonthFailed(f"minute {minute}: the ledger did not take a fact")

    def cut(self) -> None:
        before = self._place()
        self._boot += 1
        after = self._place()
        after.mkdir(parents=True)
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            if (before / name).exists():
                shutil.copyfile(before / name, after / name)
        wal = after / "ledger.sqlite-wal"
        if wal.exists():
            with wal.open("ab") as torn:
                torn.write(self._chance.randbytes(self._chance.randint(1, TORN_BYTES)))
        self._ledger.close()
        shutil.rmtree(before)
        self._ledger = self._open()

    def check(self) -> tuple[int, str]:
        """How many facts there are, and what the chains and pages complain of."""
        result = verify_ledger(self._ledger)
        return result.facts, "; ".join(result.problems)

    def close(self) -> None:
        self._ledger.close()

    def _place(self) -> Path:
        return self._folder / f"boot-{self._boot}"

    def _open(self) -> SqliteLedger:
        self._place().mkdir(parents=True, exist_ok=True)
        opened = open_ledger(self._place() / "ledger.sqlite", self, "COA007", "30039")
        if isinstance(opened, LedgerDamaged):
            raise MonthFailed(f"after cut {self._boot}: {opened}")
        return opened
