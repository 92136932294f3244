from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.devices import PrintVerdict
from municipio.facts import FactDraft, FactType, Lane, decode_fact, encode_fact, fact_hash
from municipio.identifiers import Folio, parse_folio
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.usecases.ports import (
    Change,
    FolioStub,
    NotRecorded,
    NotRecordedCause,
    Numbered,
    PrintJob,
    Recorded,
)
from municipio.wire.ack import Ack, FactProblem
from sync.database import LedgerDamaged
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import KEPT_MS, ChainDiffers, Damaged, Load, Outbox, Stretch
from sync.recovery import recover_damaged
from sync.reserve import Reserve
from sync.verify import verify_ledger

REPORT = FactDraft(FactType.REPORT_FILED, {"service": "bache", "sealed": "age..."})
TAKEN = FactDraft(FactType.PAYMENT_TAKEN, {"amount_centavos": 109560})


class HandClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.instant = Instant(
            datetime(2026, 1, 20, 18, tzinfo=UTC), TimeQuality.SYNCED, "boot-one", 1000
        )

    def now(self) -> Instant:
        return self.instant


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: HandClock) -> Iterator[SqliteLedger]:
    opened = opening(tmp_path, clock)
    yield opened
    opened.close()


def opening(folder: Path, clock: HandClock) -> SqliteLedger:
    opened = open_ledger(folder / "ledger.sqlite", clock, "COA007", "30039")
    assert isinstance(opened, SqliteLedger), opened
    return opened


def record(ledger: SqliteLedger, draft: FactDraft = REPORT) -> Recorded:
    recorded = ledger.record(draft)
    assert isinstance(recorded, Recorded), recorded
    return recorded


def payment(key: str, state: PaymentState = PaymentState.INTENDED) -> Payment:
    return Payment(
        key, "COA007-P1-000001-X", "39001", 109560, PaymentMethod.CARD, state, "liq-1",
        (("Impuesto predial 2026", 109560),),
    )  # fmt: skip


def test_facts_are_numbered_without_gaps_and_chained_per_lane(ledger: SqliteLedger) -> None:
    reports = [record(ledger) for _ in range(3)]
    payments = [record(ledger, TAKEN) for _ in range(2)]
    assert [r.fact.seq for r in reports] == [1, 2, 3]
    assert [p.fact.seq for p in payments] == [1, 2]
    assert reports[2].fact.prev == fact_hash(encode_fact(reports[1].fact))
    assert payments[0].fact.prev == "0" * 64
    assert verify_ledger(ledger).problems == ()
    assert verify_ledger(ledger).facts == 5


def test_the_folio_is_the_number_of_the_fact_that_opened_the_matter(ledger: SqliteLedger) -> None:
    record(ledger)
    folio = parse_folio(record(ledger).folio)
    assert isinstance(folio, Folio)
    assert (folio.node_code, folio.lane, folio.epoch, folio.seq) == ("COA007", Lane.REP, 1, 2)


def test_business_rows_are_stored_with_the_fact_and_know_its_folio(ledger: SqliteLedger) -> None:
    def changes(numbered: Numbered) -> list[Change]:
        return [
            FolioStub(numbered.folio, "reporte", "en_cola", "2026-01-20", {"service": "bache"}),
            PrintJob("job-1", numbered.folio, "reporte", 0, "ab", b"\x1b@hola"),
        ]

    recorded = ledger.record(REPORT, changes)
    assert isinstance(recorded, Recorded)
    stub = ledger.folio(recorded.folio)
    assert stub is not None
    assert stub.detail == {"service": "bache"}
    assert ledger.print_job("job-1") == ledger.print_jobs_for(recorded.folio)[0]
    assert ledger.folio("COA007-R1-999999-X") is None
    assert ledger.print_job("nothing") is None


def test_an_error_in_a_use_case_stores_neither_fact_nor_row(ledger: SqliteLedger) -> None:
    def broken(numbered: Numbered) -> list[Change]:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        ledger.record(REPORT, broken)
    assert record(ledger).fact.seq == 1


def test_payments_come_back_in_the_order_in_which_they_were_opened(ledger: SqliteLedger) -> None:
    assert ledger.save([payment("a"), payment("b"), payment("c")]) is None
    assert ledger.save([payment("a", PaymentState.COLLECTING)]) is None
    assert ledger.save([payment("b", PaymentState.CANCELLED)]) is None
    assert [p.key for p in ledger.open_payments()] == ["a", "c"]
    assert [p.state.value for p in ledger.payments_for("39001")] == [
        "collecting", "cancelled", "intended",
    ]  # fmt: skip
    assert ledger.payment("c") == payment("c")
    assert ledger.payment("z") is None


def test_an_ended_charge_that_is_still_asked_about_is_found_and_not_open(
    ledger: SqliteLedger,
) -> None:
    watched = replace(payment("a", PaymentState.CANCELLED), looks_left=1)
    assert ledger.save([watched, payment("b"), payment("c", PaymentState.DECLINED)]) is None
    assert ledger.watched_payments() == (watched,)
    assert [p.key for p in ledger.open_payments()] == ["b"]

    assert ledger.save([replace(watched, looks_left=0)]) is None
    assert ledger.watched_payments() == ()


def test_a_payment_is_found_by_its_folio(ledger: SqliteLedger) -> None:
    assert ledger.save([payment("a")]) is None
    assert ledger.payment_by_folio("COA007-P1-000001-X") == payment("a")
    assert ledger.payment_by_folio("COA007-P1-000002-Y") is None


def test_everything_survives_closing_and_opening(tmp_path: Path, clock: HandClock) -> None:
    first = opening(tmp_path, clock)
    before = record(first)
    first.close()
    again = opening(tmp_path, clock)
    assert record(again).fact.prev == fact_hash(encode_fact(before.fact))
    again.close()


def test_time_is_left_out_when_it_is_not_known(ledger: SqliteLedger, clock: HandClock) -> None:
    clock.instant = Instant(None, TimeQuality.UNKNOWN, "boot-one", 5)
    fact = decode_fact(encode_fact(record(ledger).fact))
    assert fact.time is None


def test_a_start_is_recorded_once_per_boot(ledger: SqliteLedger, clock: HandClock) -> None:
    started = ledger.note_start("0.1.0")
    assert isinstance(started, Recorded)
    assert started.fact.type is FactType.NODE_STARTED
    assert ledger.note_start("0.1.0") is None
    clock.instant = Instant(None, TimeQuality.UNKNOWN, "boot-two", 5)
    assert isinstance(ledger.note_start("0.1.0"), Recorded)


def test_a_new_epoch_starts_new_chains_and_names_the_old_heads(ledger: SqliteLedger) -> None:
    old = record(ledger)
    outbox = Outbox(ledger)
    assert outbox.begin_epoch(1, "clone") == 2
    assert outbox.begin_epoch(1, "clone") == 2
    new = record(ledger)
    assert (new.fact.epoch, new.fact.seq) == (2, 1)
    assert new.folio != old.folio
    started = ledger.note_start("0.1.0")
    assert isinstance(started, Recorded)
    assert started.fact.data["heads"] == {
        "rep": {"seq": 1, "hash": fact_hash(encode_fact(old.fact))}
    }
    assert [(s.epoch, s.waiting) for s in outbox.stretches() if s.lane is Lane.REP] == [
        (1, 1),
        (2, 1),
    ]


# --- acknowledgements ---------------------------------------------------------------------------


def ack_for(ledger: SqliteLedger, through: int, *problems: FactProblem) -> Ack:
    load = Outbox(ledger).load(Lane.REP, 1, through, 1)
    assert load is not None
    return Ack("COA007", 1, Lane.REP, through, fact_hash(load.facts[0]), problems)


def test_only_the_same_chain_clears_the_queue(ledger: SqliteLedger) -> None:
    outbox = Outbox(ledger)
    for _ in range(3):
        record(ledger)
    lie = Ack("COA007", 1, Lane.REP, 3, "ab" * 32)
    beyond = Ack("COA007", 1, Lane.REP, 9, "ab" * 32)
    assert isinstance(outbox.apply_ack(lie), ChainDiffers)
    assert isinstance(outbox.apply_ack(beyond), ChainDiffers)
    assert outbox.waiting() == 3
    assert outbox.apply_ack(ack_for(ledger, 2)) == 2
    assert outbox.waiting() == 1
    assert outbox.apply_ack(ack_for(ledger, 1)) == 0
    assert outbox.waiting() == 1


def test_a_fact_that_the_city_refuses_is_told_to_its_folio(ledger: SqliteLedger) -> None:
    recorded = ledger.record(REPORT, lambda n: [FolioStub(n.folio, "reporte", "en_cola", "")])
    assert isinstance(recorded, Recorded)
    outbox = Outbox(ledger)
    outbox.apply_ack(ack_for(ledger, 1, FactProblem(1, "unreadable", "no se entiende")))
    stub = ledger.folio(recorded.folio)
    assert stub is not None
    assert stub.detail["city_problem"]["code"] == "unreadable"
    assert outbox.problems()[0][0] == recorded.folio


def test_a_city_that_lost_facts_gets_them_again(ledger: SqliteLedger) -> None:
    outbox = Outbox(ledger)
    for _ in range(5):
        record(ledger)
    outbox.apply_ack(ack_for(ledger, 5))
    assert outbox.rewind(Lane.REP, 1, 3)
    assert outbox.waiting() == 3
    assert not outbox.rewind(Lane.REP, 1, 9)
    assert verify_ledger(ledger).problems == ()


def test_acknowledged_facts_are_forgotten_and_waiting_ones_never(ledger: SqliteLedger) -> None:
    outbox = Outbox(ledger)
    for _ in range(10):
        record(ledger)
    outbox.apply_ack(ack_for(ledger, 6))
    outbox.prune(kept_facts=0)
    assert verify_ledger(ledger).problems == ()
    assert verify_ledger(ledger).facts == 4
    assert outbox.load(Lane.REP, 1, 7, 500) is not None
    assert outbox.load(Lane.REP, 1, 6, 500) is None
    assert not outbox.rewind(Lane.REP, 1, 3)
    outbox.apply_ack(ack_for(ledger, 10))
    outbox.prune(kept_facts=0)
    assert record(ledger).fact.seq == 11
    assert verify_ledger(ledger).problems == ()


def test_printed_bytes_are_erased_a_day_later_and_unprinted_ones_kept(
    ledger: SqliteLedger, clock: HandClock
) -> None:
    jobs = [
        PrintJob("out", "F", "recibo", 0, "ab", b"ticket", PrintVerdict.PRINTED),
        PrintJob("stuck", "F", "recibo", 0, "ab", b"ticket", PrintVerdict.FAILED, "paper_out"),
    ]
    assert ledger.save(jobs) is None
    start = clock.instant
    assert start.time is not None

    def bytes_after(instant: Instant) -> dict[str, bytes]:
        clock.instant = instant
        Outbox(ledger).prune()
        return {job.id: job.rendered for job in ledger.print_jobs_for("F")}

    early = Instant(start.time, start.quality, start.boot, KEPT_MS)
    other_boot = Instant(start.time + timedelta(hours=23), start.quality, "boot-two", 5)
    no_clock = Instant(None, TimeQuality.UNKNOWN, "boot-two", 5)
    for instant in (early, other_boot, no_clock):
        assert bytes_after(instant) == {"out": b"ticket", "stuck": b"ticket"}
    next_day = Instant(start.time + timedelta(hours=24), start.quality, "boot-two", 5)
    assert bytes_after(next_day) == {"out": b"", "stuck": b"ticket"}
    assert ledger.print_jobs_for("F")[0].sha256 == "ab"
    assert bytes_after(Instant(None, TimeQuality.UNKNOWN, start.boot, KEPT_MS + 1000))["out"] == b""


# --- trouble ------------------------------------------------------------------------------------


def test_a_full_file_records_nothing_and_says_so(ledger: SqliteLedger) -> None:
    for _ in range(3):
        record(ledger)
    with ledger.reading() as db:
        db.pragma("max_page_count", db.pragma("page_count"))
    big = FactDraft(FactType.REPORT_FILED, {"sealed": "x" * 30_000})
    answer = ledger.record(big)
    assert isinstance(answer, NotRecorded)
    assert answer.cause is NotRecordedCause.DISK_FULL
    assert isinstance(ledger.save([PrintJob("j", "F", "k", 0, "", b"x" * 30_000)]), NotRecorded)
    assert verify_ledger(ledger).facts == 3
    with ledger.reading() as db:
        db.pragma("max_page_count", 1_000_000)
    assert record(ledger).fact.seq == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk; needs root")
def test_a_full_disk_records_nothing_loses_nothing_and_recovers(
    tmp_path: Path, clock: HandClock
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], check=True)
    try:
        ledger = opening(disk, clock)
        recorded = [record(ledger)]
        (disk / "filler").write_bytes(b"")
        draft = FactDraft(FactType.REPORT_FILED, {"sealed": "x" * 4000})
        while isinstance(answer := ledger.record(draft), Recorded):
            recorded.append(answer)
        assert answer.cause is NotRecordedCause.DISK_FULL
        assert verify_ledger(ledger).facts == len(recorded)
        ledger.close()
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        again = opening(disk, clock)
        assert record(again).fact.seq == len(recorded) + 1
        assert verify_ledger(again).problems == ()
        again.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk; needs root")
def test_on_a_full_disk_money_goes_on_when_nothing_else_does(
    tmp_path: Path, clock: HandClock
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    try:
        ledger = opening(disk, clock)
        ledger.reserve = Reserve(disk, size=200 * 1024)
        ledger.reserve.fill()
        vitals = FactDraft(FactType.DEVICE_CHANGED, {"demo": "x" * 4000})
        report = FactDraft(FactType.REPORT_FILED, {"sealed": "x" * 4000})
        money = FactDraft(FactType.PAYMENT_TAKEN, {"note": "x" * 4000})
        counts = [filled(ledger, draft) for draft in (vitals, report, money)]
        assert counts[0] > 50, "until the disk is full but for the reserve"
        assert counts[1] > 5
        assert counts[2] > 5
        assert not (disk / "reserve-1").exists()
        assert not (disk / "reserve-2").exists()
        assert verify_ledger(ledger).problems == ()
        ledger.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def filled(ledger: SqliteLedger, draft: FactDraft) -> int:
    """How many of a kind still fit."""
    count = 0
    while isinstance(answer := ledger.record(draft), Recorded):
        count += 1
    assert answer.cause is NotRecordedCause.DISK_FULL
    return count


def test_a_busy_ledger_says_busy(ledger: SqliteLedger, tmp_path: Path, clock: HandClock) -> None:
    other = opening(tmp_path, clock)
    with ledger.reading() as db:
        db.set_busy_timeout(20)
    with other.transaction():
        answer = ledger.record(REPORT)
    assert isinstance(answer, NotRecorded)
    assert answer.cause is NotRecordedCause.LEDGER_BUSY
    assert record(ledger).fact.seq == 1
    other.close()


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.5, 0.9])
def test_a_database_cut_short_is_detected_and_left_as_it_is(
    tmp_path: Path, clock: HandClock, keep: float
) -> None:
    ledger = opening(tmp_path, clock)
    for _ in range(60):
        record(ledger)
    ledger.close()
    path = tmp_path / "ledger.sqlite"
    os.truncate(path, int(path.stat().st_size * keep))
    before = path.read_bytes()
    damaged = open_ledger(path, clock, "COA007", "30039")
    assert isinstance(damaged, LedgerDamaged)
    assert "dañado" in str(damaged)
    assert "damaged" in str(damaged)
    assert path.read_bytes() == before


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"hola" * 2000)
    assert isinstance(open_ledger(path, clock, "COA007", "30039"), LedgerDamaged)
    path.unlink()
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE t (x)")
    other.close()
    assert isinstance(open_ledger(path, clock, "COA007", "30039"), LedgerDamaged)


def test_the_ledger_of_another_node_is_refused(tmp_path: Path, clock: HandClock) -> None:
    opening(tmp_path, clock).close()
    path = tmp_path / "ledger.sqlite"
    assert isinstance(open_ledger(path, clock, "COA008", "30039"), LedgerDamaged)


def test_a_ledger_of_a_newer_program_is_refused(tmp_path: Path, clock: HandClock) -> None:
    opening(tmp_path, clock).close()
    path = tmp_path / "ledger.sqlite"
    db = apsw.Connection(str(path))
    db.pragma("user_version", 100)
    db.close()
    assert "newer" in str(getattr(open_ledger(path, clock, "COA007", "30039"), "detail", ""))


def test_a_changed_fact_is_found_by_verification(ledger: SqliteLedger) -> None:
    for _ in range(3):
        record(ledger)
    with ledger.transaction() as db:
        db.execute(
            "UPDATE fact SET body = CAST(replace(body, 'bache', 'fugas') AS BLOB) WHERE seq = 2"
        )
    assert "fact 2 does not fit its seal" in verify_ledger(ledger).problems[0]
    with ledger.transaction() as db:
        db.execute("DELETE FROM fact WHERE seq = 2")
    assert "fact 2 is not where it belongs" in verify_ledger(ledger).problems[0]


def test_a_change_of_the_last_fact_is_found_although_nothing_follows_it(
    ledger: SqliteLedger,
) -> None:
    for _ in range(3):
        record(ledger)
    with ledger.transaction() as db:
        db.execute(
            "UPDATE fact SET body = CAST(replace(body, 'bache', 'fugas') AS BLOB) WHERE seq = 3"
        )
    assert "fact 3 does not fit its seal" in verify_ledger(ledger).problems[0]
    with ledger.transaction() as db:
        db.execute("UPDATE fact SET seal = NULL WHERE seq = 3")
    assert "fact 3 does not fit its seal" in verify_ledger(ledger).problems[0]


def test_a_last_fact_that_is_gone_is_found_although_the_chain_is_whole(
    ledger: SqliteLedger,
) -> None:
    for _ in range(3):
        record(ledger)
    with ledger.transaction() as db:
        db.execute("DELETE FROM fact WHERE seq = 3")
    (problem,) = verify_ledger(ledger).problems
    assert problem == "rep: facts 3 to 3 of epoch 1 were stored and are gone"


def test_an_older_file_in_its_place_never_gives_a_folio_again(
    tmp_path: Path, clock: HandClock
) -> None:
    ledger = opening(tmp_path, clock)
    record(ledger)
    ledger.close()
    old = (tmp_path / "ledger.sqlite").read_bytes()
    ledger = opening(tmp_path, clock)
    given = {record(ledger).folio for _ in range(3)}
    ledger.close()
    (tmp_path / "ledger.sqlite").write_bytes(old)
    ledger = opening(tmp_path, clock)
    assert Outbox(ledger).epoch() == 2
    again = record(ledger)
    assert again.folio not in given
    started = ledger.note_start("1.0")
    assert isinstance(started, Recorded)
    assert started.fact.data["reason"] == "heads_lost"
    assert started.fact.data["lost"] == {"rep": {"epoch": 1, "from": 2, "through": 4}}
    ledger.close()
    ledger = opening(tmp_path, clock)
    assert Outbox(ledger).epoch() == 2
    ledger.close()


def test_a_node_whose_ledger_is_gone_starts_after_what_it_gave_out(
    tmp_path: Path, clock: HandClock
) -> None:
    ledger = opening(tmp_path, clock)
    given = record(ledger).folio
    ledger.close()
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    ledger = opening(tmp_path, clock)
    assert Outbox(ledger).epoch() == 2
    assert record(ledger).folio != given
    ledger.close()


def test_a_damaged_fact_is_never_signed_and_those_after_it_arrive(
    ledger: SqliteLedger,
) -> None:
    done = [record(ledger) for _ in range(5)]
    with ledger.transaction() as db:
        db.execute(
            "UPDATE fact SET body = CAST(replace(body, 'bache', 'fugas') AS BLOB) WHERE seq = 3"
        )
    outbox = Outbox(ledger)
    load = outbox.load(Lane.REP, 1, 1, 500)
    assert isinstance(load, Load)
    assert len(load.facts) == 2
    assert outbox.load(Lane.REP, 1, 3, 500) == Damaged(3)
    (moved,) = recover_damaged(ledger)
    assert (moved.epoch, moved.facts, moved.lost) == (2, 2, (3,))
    assert outbox.stretches() == (Stretch(Lane.REP, 1, 0, 2), Stretch(Lane.REP, 2, 0, 2))
    carried = outbox.load(Lane.REP, 2, 1, 500)
    assert isinstance(carried, Load)
    inner = [decode_fact(raw).data["fact"].encode() for raw in carried.facts]
    assert inner == [encode_fact(one.fact) for one in done[3:]]
    assert verify_ledger(ledger).problems == ()
    started = ledger.note_start("1.0")
    assert isinstance(started, Recorded)
    assert started.fact.data["closed"]["rep"] == [{"epoch": 1, "from": 3, "moved": 2, "lost": [3]}]
    assert recover_damaged(ledger) == ()


def test_without_its_key_a_ledger_keeps_every_fact_and_says_so(
    tmp_path: Path, clock: HandClock
) -> None:
    ledger = opening(tmp_path, clock)
    record(ledger)
    ledger.close()
    (tmp_path / "keys" / "ledger.key").unlink()
    ledger = opening(tmp_path, clock)
    assert verify_ledger(ledger).problems == ()
    started = ledger.note_start("1.0")
    assert isinstance(started, Recorded)
    assert (started.fact.epoch, started.fact.data["reason"]) == (2, "key_lost")
    assert Outbox(ledger).waiting() == 2
    ledger.close()


def test_a_lost_tail_that_the_city_holds_is_found_by_verification(ledger: SqliteLedger) -> None:
    for _ in range(3):
        record(ledger)
    Outbox(ledger).apply_ack(ack_for(ledger, 3))
    with ledger.transaction() as db:
        db.execute("DELETE FROM fact WHERE seq = 3")
    assert "which the city holds" in verify_ledger(ledger).problems[0]


# --- sharing ------------------------------------------------------------------------------------


def test_threads_share_one_ledger(ledger: SqliteLedger) -> None:
    def work() -> None:
        for _ in range(40):
            record(ledger)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify_ledger(ledger).facts == 160
    assert verify_ledger(ledger).problems == ()


_PROGRAM = """
import sys
from pathlib import Path
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import FolioStub, Recorded
from sync.clock import SystemClock
from sync.ledger import open_ledger
ledger = open_ledger(Path(sys.argv[1]), SystemClock(), "COA007", "30039")
for n in range(60):
    done = ledger.record(
        FactDraft(FactType.REPORT_FILED, {"from": sys.argv[2], "n": n}),
        lambda it: [FolioStub(it.folio, "reporte", "en_cola", "", {"from": sys.argv[2], "n": n})],
    )
    assert isinstance(done, Recorded), done
    print(done.folio, flush=True)
"""


def test_programs_share_one_ledger_from_its_first_moment(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-c", _PROGRAM, str(path)]
    programs = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True)
        for name in ("kiosk", "portal", "worker")
    ]
    outputs = [program.communicate(timeout=60)[0] for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0]
    folios = [folio for output in outputs for folio in output.split()]
    assert len(set(folios)) == 180
    ledger = opening(tmp_path, clock)
    assert verify_ledger(ledger).facts == 180
    assert verify_ledger(ledger).problems == ()
    assert all(ledger.folio(folio) is not None for folio in folios)
    ledger.close()


def test_a_killed_program_loses_nothing_that_it_had_announced(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "ledger.sqlite"
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.replace("range(60)", "range(10**6)"), str(path), "kiosk"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    announced = [program.stdout.readline().strip() for _ in range(25)]
    program.kill()
    announced += program.stdout.read().split("\n")[:-1]
    program.wait(timeout=30)
    program.stdout.close()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy)
    ledger = opening(copy, clock)
    assert verify_ledger(ledger).problems == ()
    assert all(ledger.folio(folio) is not None for folio in announced)
    ledger.close()


def test_a_closed_ledger_records_nothing_and_says_so(tmp_path: Path, clock: HandClock) -> None:
    """A thread that comes late, while its program ends, gets an answer and not a crash."""
    ledger = opening(tmp_path, clock)
    ledger.close()
    answer = ledger.record(REPORT)
    assert isinstance(answer, NotRecorded)
    assert answer.detail == "the ledger is closed"
    assert isinstance(ledger.save([]), NotRecorded)
