"""A damaged ledger: what is readable is kept and sent, the rest is told, no folio is given twice."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.facts import RECOVERED, FactDraft, FactType, Lane, decode_fact, encode_fact
from municipio.usecases.ports import FolioStub, Recorded
from municipio.wire.ack import Ack
from sync.database import LedgerDamaged
from sync.ledger import SqliteLedger, open_ledger, salvaged_file
from sync.outbox import Load, Outbox
from sync.salvage import open_salvaging, salvage
from sync.seals import key_file, witness_file
from sync.verify import verify_ledger

TYPES = [FactType.PAYMENT_TAKEN, FactType.REPORT_FILED, FactType.DEVICE_CHANGED]


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def opening(path: Path) -> SqliteLedger:
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    return ledger


def salvaging(path: Path) -> SqliteLedger:
    ledger = open_salvaging(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    return ledger


def fill(path: Path, count: int, chance: random.Random) -> dict[str, bytes]:
    """A ledger of many pages, some of it acknowledged; the facts by folio."""
    ledger = opening(path)
    told: dict[str, bytes] = {}
    for n in range(count):
        kind = FactType.REPORT_FILED if n < 7 else chance.choice(TYPES)
        draft = FactDraft(kind, {"sealed": "x" * chance.randrange(1500)})
        done = ledger.record(draft, lambda n: [FolioStub(n.folio, "reporte", "en_cola", "")])
        assert isinstance(done, Recorded)
        told[done.folio] = encode_fact(done.fact)
    acknowledge(ledger, Lane.REP, 5)
    ledger.close()
    return told


def acknowledge(ledger: SqliteLedger, lane: Lane, through: int) -> None:
    load = Outbox(ledger).load(lane, 1, through + 1, 1)
    assert isinstance(load, Load)
    Outbox(ledger).apply_ack(Ack("COA007", 1, lane, through, load.prev))


def travelling(ledger: SqliteLedger) -> set[bytes]:
    """Every fact that can be sent, those inside others too."""
    found: set[bytes] = set()
    for s in Outbox(ledger).stretches():
        if not s.waiting:
            continue
        load = Outbox(ledger).load(s.lane, s.epoch, s.acked + 1, 500)
        assert isinstance(load, Load)
        for raw in load.facts:
            fact = decode_fact(raw)
            is_carrier = fact.type in RECOVERED.values()
            found.add(fact.data["fact"].encode() if is_carrier else raw)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_page_costs_what_was_on_it_and_no_more(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "ledger.sqlite"
    told = fill(path, 150, chance)
    raw = bytearray(path.read_bytes())
    pages = len(raw) // 4096
    page = chance.randrange(1, pages) * 4096
    raw[page : page + 4096] = chance.randbytes(4096)
    path.write_bytes(raw)
    ledger = salvaging(path)
    assert verify_ledger(ledger).problems == ()
    done = ledger.record(FactDraft(FactType.REPORT_FILED, {}))
    assert isinstance(done, Recorded)
    assert done.folio not in told
    kept = travelling(ledger) & set(told.values())
    acknowledged = 5
    assert len(kept) >= (len(told) - acknowledged) * 0.5, "at most one subtree is unreadable"
    started = ledger.note_start("1.0")
    assert isinstance(started, Recorded)
    if started.fact.epoch > 1:
        assert started.fact.data["reason"] in ("salvaged", "facts_damaged")
    ledger.close()


def test_everything_readable_is_kept_when_only_the_header_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    told = fill(path, 60, random.Random(1))
    raw = bytearray(path.read_bytes())
    raw[24:100] = bytes(76)
    path.write_bytes(raw)
    ledger = salvaging(path)
    assert verify_ledger(ledger).problems == ()
    assert Outbox(ledger).epoch() == 2
    assert len(travelling(ledger)) == len(told) - 5
    assert all(ledger.folio(folio) is not None for folio in told)
    ledger.close()


def test_a_file_of_which_nothing_is_left_still_lets_the_node_work(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    told = fill(path, 20, random.Random(1))
    path.write_bytes(b"")
    ledger = salvaging(path)
    assert Outbox(ledger).epoch() == 2, "the witness knows of the first"
    done = ledger.record(FactDraft(FactType.REPORT_FILED, {}))
    assert isinstance(done, Recorded)
    assert done.folio not in told
    started = ledger.note_start("1.0")
    assert isinstance(started, Recorded)
    assert started.fact.data["salvage"]["kept"] == "1"
    ledger.close()
    assert (tmp_path / "damaged" / "1" / "ledger.sqlite").read_bytes() == b""


def test_without_file_key_and_witness_the_epoch_is_far_from_any_that_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    fill(path, 9, random.Random(1))
    path.write_bytes(b"")
    key_file(path).unlink()
    witness_file(path).unlink()
    ledger = salvaging(path)
    assert 1000 <= Outbox(ledger).epoch() < 10_000
    ledger.close()


def test_other_peoples_files_are_never_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    opening(path).close()
    before = path.read_bytes()
    assert isinstance(open_salvaging(path, Now(), "COA008", "30039"), LedgerDamaged)
    assert path.read_bytes() == before
    assert not (tmp_path / "damaged").exists()
    foreign = tmp_path / "other" / "ledger.sqlite"
    foreign.parent.mkdir()
    db = apsw.Connection(str(foreign))
    db.execute("CREATE TABLE t (x)")
    db.close()
    assert isinstance(open_salvaging(foreign, Now(), "COA007", "30039"), LedgerDamaged)
    assert not (foreign.parent / "damaged").exists()


def test_a_ledger_that_another_program_holds_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = opening(path)
    answer = salvage(path, Now(), "COA007", "30039", wait_s=0.2)
    assert isinstance(answer, LedgerDamaged)
    assert "another program" in answer.detail
    ledger.close()
    assert salvage(path, Now(), "COA007", "30039") is None, "nothing is wrong with it"


def test_a_swap_that_was_cut_anywhere_is_finished_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    told = fill(path, 20, random.Random(3))
    kept = tmp_path / "damaged" / "1"
    for step in range(4):
        good = path.read_bytes()
        salvaged_file(path).write_bytes(good)
        (tmp_path / "ledger.sqlite-wal").write_bytes(b"an old log")
        if step >= 1:
            kept.mkdir(parents=True, exist_ok=True)
            (tmp_path / "ledger.sqlite-wal").replace(kept / "ledger.sqlite-wal")
        if step >= 2:
            path.write_bytes(b"damaged")
        if step >= 3:
            path.replace(kept / "ledger.sqlite")
        ledger = salvaging(path)
        assert len(travelling(ledger)) == len(told) - 5
        assert verify_ledger(ledger).problems == ()
        ledger.close()
        assert not salvaged_file(path).exists()


_PROGRAM = """
import sys
from pathlib import Path
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import Recorded
from sync.clock import SystemClock
from sync.ledger import SqliteLedger
from sync.salvage import open_salvaging
ledger = open_salvaging(Path(sys.argv[1]), SystemClock(), "COA007", "30039")
assert isinstance(ledger, SqliteLedger), ledger
done = ledger.record(FactDraft(FactType.REPORT_FILED, {}))
assert isinstance(done, Recorded), done
print(done.folio)
"""


def test_programs_that_start_together_salvage_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    told = fill(path, 100, random.Random(5))
    raw = bytearray(path.read_bytes())
    raw[4096 * 3 : 4096 * 4] = bytes(4096)
    path.write_bytes(raw)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    folios = [program.communicate(timeout=60)[0].strip() for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0]
    assert len({*folios, *told}) == len(folios) + len(told)
    assert [p.name for p in (tmp_path / "damaged").iterdir()] == ["1"]
    ledger = opening(path)
    assert Outbox(ledger).epoch() == 2
    assert verify_ledger(ledger).problems == ()
    ledger.close()
