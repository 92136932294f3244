"""People pay in cash, one after another, until the power goes; each durable step is told at once.

Runs inside a virtual node, with the node's own programs: the real cash machine over a simulated bus in
virtual time, and the real ledger on the disk whose writes are logged. One JSON line a step, written only
after the ledger returned, to where a person would see it: whoever reads the line may rely on it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from kiosk.simulated_cash import CashCorner
from kiosk.usecases.cash_progress import CashSettled, CashStarted, Inserting
from municipio.cash import CashMovement
from municipio.facts import FactDraft, FactType, encode_fact, fact_hash
from municipio.payments import Payment
from municipio.usecases.ports import Change, FolioStub, NotRecorded, Numbered, PrintJob, Recorded
from sync.datadir import DataDir
from sync.ledger import SqliteLedger
from sync.wiring import CannotStart, open_memory


class ToldLedger:
    """The real ledger; what it has stored is told."""

    def __init__(self, ledger: SqliteLedger, out: TextIO) -> None:
        self._ledger, self._out = ledger, out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def tell(self, **line: Any) -> None:
        if any(line.values()):
            self._out.write(json.dumps(line) + "\n")
            self._out.flush()

    def record(
        self, draft: FactDraft, changes: Callable[[Numbered], Sequence[Change]] = lambda _: ()
    ) -> Recorded | NotRecorded:
        written: list[Change] = []

        def noted(numbered: Numbered) -> Sequence[Change]:
            written[:] = changes(numbered)
            return written

        done = self._ledger.record(draft, noted)
        if isinstance(done, Recorded):
            digest = fact_hash(encode_fact(done.fact))
            self.tell(fact=done.fact.id, hash=digest, **rows_told(written))
        return done

    def save(self, changes: Sequence[Change]) -> NotRecorded | None:
        failed = self._ledger.save(changes)
        if failed is None:
            self.tell(**rows_told(changes))
        return failed


def rows_told(changes: Sequence[Change]) -> dict[str, Any]:
    """What of the business rows a reader may rely on, by kind."""
    return {
        "payments": [[c.key, c.state.value] for c in changes if isinstance(c, Payment)],
        "movements": [c.id for c in changes if isinstance(c, CashMovement)],
        "folios": [c.folio for c in changes if isinstance(c, FolioStub)],
        "papers": [c.id for c in changes if isinstance(c, PrintJob)],
    }


class PersistentCorner(CashCorner):
    """The corner of a kiosk whose journal is the ledger of this node."""

    def __init__(self, ledger: ToldLedger, tag: str) -> None:
        self._tag = tag
        super().__init__()
        self.ledger = ledger  # type: ignore[assignment]  # the real one, for the one in memory
        self.ledger.save([self._hopper_row(150 - self.box.hopper_coins)])
        self.pay = self._machine()

    def new_id(self) -> str:
        return f"{self._tag}-{super().new_id()}"


def pay_once(corner: PersistentCorner, chance: random.Random) -> None:
    """One person: puts in what is asked for, sometimes walks away."""
    started = corner.pay.start(corner.owed(50 * chance.randrange(10, 2000)), (), fresh=True)
    if not isinstance(started, CashStarted):
        corner.fill_hopper(150)
        corner.idle(2)
        return
    key = started.payment.key
    for turn in range(chance.choice([30, 400, 400])):
        progress = corner.poll(key, 0.25)
        if isinstance(progress, CashSettled):
            return
        if isinstance(progress, Inserting) and turn % 2:
            pieces = sorted(progress.coins | progress.notes, reverse=True)[:3]
            if pieces:
                corner.insert(chance.choice(pieces))
    corner.pay.finish(key, refund=chance.random() < 0.5)
    for _ in range(80):
        corner.poll(key, 0.25)
    corner.pay.release(key)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tell", type=Path, required=True)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--payments", type=int, default=1_000_000)
    options = parser.parse_args()
    memory = open_memory(DataDir(options.data), salvaging=False)
    if isinstance(memory, CannotStart):
        sys.stderr.write(memory.detail + "\n")
        return 1
    chance = random.Random(options.tag)
    with options.tell.open("w", encoding="utf-8") as out:
        ledger = ToldLedger(memory.ledger, out)
        corner = PersistentCorner(ledger, options.tag)
        corner.ready()
        for _ in range(options.payments):
            pay_once(corner, chance)
            ledger.record(
                FactDraft(FactType.REPORT_FILED, {"sealed": "x" * chance.randrange(2000)}),
                lambda n: [FolioStub(n.folio, "reporte", "en_cola", "")],
            )
        ledger.tell(done=True)
    memory.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
