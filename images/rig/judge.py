"""Looks at the disk that a power cut left as the node would: repair as at boot, then doubt everything.

The file system is brought up as systemd does (journal, orphans), must then be clean to the last block,
and the ledger is opened by the node's own code, which must find it whole and every promise kept.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from municipio.clock import Instant, TimeQuality
from municipio.facts import decode_fact, fact_hash
from municipio.payments import TRANSITIONS, PaymentState
from rig.told import Expected
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Outbox
from sync.trust import HEADS_LOST
from sync.verify import verify_ledger

E2FSCK_MENDED = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken` is empty when the node came through; each line says what did not."""

    broken: tuple[str, ...]
    promises: int
    facts: int
    repaired: bool
    seconds: float


class _Now:
    """A ledger is opened with a clock; nothing is dated here."""

    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.FLOOR, "judge", 1)


def judge(
    part: Path, folder: str, owner: tuple[str, str], promised: Expected, work: Path
) -> Verdict:
    """`part` is the data partition (it is repaired), `folder` the node's place in it, `owner` whose it is."""
    began = time.monotonic()
    repair = _fsck(part, "-p")
    if repair not in (0, E2FSCK_MENDED):
        return Verdict(
            (f"the file system needs a person: e2fsck -p says {repair}",), 0, 0, True, 0.0
        )
    broken = [] if _fsck(part, "-fn") == 0 else ["the file system is not clean after its repair"]
    found = _copy_out(part, folder, work)
    facts = 0
    if (found / "ledger.sqlite").exists():
        trouble, facts = _judge_ledger(found / "ledger.sqlite", owner, promised)
        broken += trouble
    elif promised.count:
        broken.append("there is no ledger")
    shutil.rmtree(found)
    seconds = time.monotonic() - began
    return Verdict(tuple(broken), promised.count, facts, repair == E2FSCK_MENDED, seconds)


def _fsck(part: Path, how: str) -> int:
    done = subprocess.run(["e2fsck", how, str(part)], capture_output=True, timeout=120)
    return done.returncode


def _copy_out(part: Path, folder: str, work: Path) -> Path:
    """The ledger and what lies beside it for it (its log, the witness, the keys), mounting nothing."""
    target = work / "node"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _debugfs(part, f'rdump "{folder}/keys" "{target}"')
    for name in _names(part, folder):
        if name == "witness" or name.startswith("ledger.sqlite"):
            _debugfs(part, f'dump -p "{folder}/{name}" "{target / name}"')
    return target


def _names(part: Path, folder: str) -> list[str]:
    lines = _debugfs(part, f'ls -p "{folder}"').splitlines()
    return [line.split("/")[5] for line in lines if line.count("/") >= 6]


def _debugfs(part: Path, request: str) -> str:
    done = subprocess.run(
        ["debugfs", "-R", request, str(part)], capture_output=True, text=True, timeout=60
    )
    return done.stdout


def _judge_ledger(path: Path, owner: tuple[str, str], promised: Expected) -> tuple[list[str], int]:
    ledger = open_ledger(path, _Now(), *owner)
    if not isinstance(ledger, SqliteLedger):
        return [f"the ledger is damaged: {ledger}"], 0
    try:
        verified = verify_ledger(ledger)
        broken = [f"verify: {problem}" for problem in verified.problems]
        if Outbox(ledger).epoch_reason()[0] == HEADS_LOST:
            broken.append("the witness saw facts that are gone")
        return broken + _missing(ledger, promised), verified.facts
    finally:
        ledger.close()


def _missing(ledger: SqliteLedger, promised: Expected) -> list[str]:
    with ledger.reading() as db:
        rows = db.execute("SELECT body FROM fact").fetchall()
        bodies = [body for (body,) in rows if isinstance(body, bytes)]
        movements = {str(name) for (name,) in db.execute("SELECT id FROM cash_movement").fetchall()}
    facts = {decode_fact(body).id: fact_hash(body) for body in bodies}
    gone = [f"fact {i}" for i, digest in promised.facts.items() if facts.get(i) != digest]
    gone += [f"movement {name}" for name in sorted(promised.movements - movements)]
    gone += [f"folio {folio}" for folio in sorted(promised.folios) if ledger.folio(folio) is None]
    gone += [f"paper {job}" for job in sorted(promised.papers) if ledger.print_job(job) is None]
    gone += [line for key in promised.payments if (line := _payment(ledger, key, promised))]
    return [f"told and not there: {what}" for what in gone]


def _payment(ledger: SqliteLedger, key: str, promised: Expected) -> str:
    """A payment stands where it was told to stand, or at a step that may follow."""
    payment = ledger.payment(key)
    told = PaymentState(promised.payments[key])
    if payment is None:
        return f"payment {key}"
    following = {after for (before, _), after in TRANSITIONS.items() if before is told}
    allowed = {told} | following | {PaymentState(s) for s in promised.later.get(key, set())}
    return "" if payment.state in allowed else f"payment {key}: {told} became {payment.state}"
