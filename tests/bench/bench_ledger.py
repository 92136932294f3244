"""Durable records per second: the ledger, bare SQLite with the same rows and pragmas, and its peers.

One commit per record, each on disk before the next begins. Rounds are interleaved, because the disk's
own speed drifts, and the median of each is shown. Peers with a weaker promise are named, not raced.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pyrage

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, Lane, encode_fact
from municipio.usecases.ports import FolioStub, Numbered, Recorded
from municipio.wire.batch import BatchHeader, encode_batch, pack
from sync.database import connect
from sync.ledger import SqliteLedger, open_ledger
from sync.sealing import AgeSealer

ROUNDS = 7
RECORDS = 300
DATA = {"service": "bache", "colonia": "Centro", "sealed": "x" * 400}
NOT_SAFE = "litequeue and diskcache run WAL with synchronous=NORMAL: not power-safe, so not raced"

Record = Callable[[], None]


class Now:
    def now(self) -> Instant:
        return Instant(datetime.now(UTC), TimeQuality.SYNCED, "boot", time.monotonic_ns() // 10**6)


def our_ledger(folder: Path) -> Record:
    ledger = open_ledger(folder / "ledger.sqlite", Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    draft = FactDraft(FactType.REPORT_FILED, DATA)

    def stub(numbered: Numbered) -> list[FolioStub]:
        return [FolioStub(numbered.folio, "reporte", "en_cola", "2026-01-20", {"service": "bache"})]

    def record() -> None:
        assert isinstance(ledger.record(draft, stub), Recorded)

    return record


def bare_sqlite(folder: Path) -> Record:
    """The same two rows, tables and pragmas, already encoded: the floor that no queue can beat."""
    ledger = open_ledger(folder / "bare.sqlite", Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    first = ledger.record(FactDraft(FactType.REPORT_FILED, DATA))
    assert isinstance(first, Recorded)
    with ledger.reading() as db:
        (body,) = db.execute("SELECT body FROM fact").fetchall()[0]
    ledger.close()
    db = connect(folder / "bare.sqlite")
    assert isinstance(db, apsw.Connection)
    seq = 1

    def record() -> None:
        nonlocal seq
        seq += 1
        folio = (
            f"COA007-R1-{seq:06d}-K",
            "reporte",
            "en_cola",
            "2026-01-20",
            '{"service":"bache"}',
        )
        db.execute("BEGIN IMMEDIATE")
        row = (seq, body, bytes(16))
        db.execute("INSERT INTO fact (lane, epoch, seq, body, seal) VALUES (1, 1, ?, ?, ?)", row)
        db.execute("INSERT OR REPLACE INTO folio VALUES (?, ?, ?, ?, ?)", folio)
        db.execute("COMMIT")

    return record


def fdatasync(folder: Path) -> Record:
    handle = os.open(folder / "appended", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    line = json.dumps(DATA).encode() + b"\n"

    def record() -> None:
        os.write(handle, line)
        os.fdatasync(handle)

    return record


def persist_queue(folder: Path) -> Record:
    from persistqueue import SQLiteAckQueue

    queue = SQLiteAckQueue(str(folder / "persist"), auto_commit=True)
    return lambda: queue.put(DATA)


def huey(folder: Path) -> Record:
    from huey.storage import SqliteStorage

    storage = SqliteStorage(filename=str(folder / "huey.db"))
    line = json.dumps(DATA).encode()
    return lambda: storage.enqueue(line)


WIRE = 100
PLAIN = {"service_code": "bache", "colonia": "Centro", "channel": "kiosco", "language": "es_MX"}


def wire_figures(folder: Path) -> list[dict[str, object]]:
    """Bytes per fact on the wire with a signature of zeros: a batch of 100, and the same one by one."""
    ledger = open_ledger(folder / "wire.sqlite", Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    person = json.dumps({"street": "Hidalgo 12", "description": "Hay un hoyo.", "phone": ""})
    office, escrow = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
    sealer = AgeSealer(lambda _: (office, escrow))
    raws: dict[str, list[bytes]] = {"plain": [], "sealed": []}
    for _ in range(WIRE):
        sealed = PLAIN | {"sealed": sealer.seal("siac", person.encode())}
        for kind, data in (("plain", PLAIN), ("sealed", sealed)):
            done = ledger.record(FactDraft(FactType.REPORT_FILED, data))
            assert isinstance(done, Recorded)
            raws[kind].append(encode_fact(done.fact))
    ledger.close()
    return [wire_row(kind, facts) for kind, facts in raws.items()]


def wire_row(kind: str, facts: list[bytes]) -> dict[str, object]:
    together = packed_bytes(facts) / len(facts)
    alone = sum(packed_bytes([fact]) for fact in facts) / len(facts)
    return {
        "what": f"bytes per fact on the wire, {kind} reports in a batch of {WIRE}, signature of zeros",
        "value": round(together),
        "unit": f"bytes ({round(100 * together / alone)} % of one by one)",
        "goal": "<= 120, <= 60 %" if kind == "plain" else "said, two age recipients",
        "peer": f"one by one {round(alone)}",
    }


def packed_bytes(facts: list[bytes]) -> int:
    header = BatchHeader("COA007", 1, Lane.REP, 2, len(facts) + 1, "ab" * 32)
    return len(pack(encode_batch(header, facts, lambda _: bytes(64))))


def rate(record: Record) -> float:
    start = time.perf_counter()
    for _ in range(RECORDS):
        record()
    return RECORDS / (time.perf_counter() - start)


def main() -> None:
    warnings.simplefilter("ignore")
    racers = {"ledger": our_ledger, "bare": bare_sqlite, "fdatasync": fdatasync}
    racers |= {"persist-queue": persist_queue, "huey": huey}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        records: dict[str, Record] = {}
        for racer, make in racers.items():
            folder = Path(name) / racer
            folder.mkdir()
            with contextlib.suppress(ImportError):
                records[racer] = make(folder)
        rates: dict[str, list[float]] = {racer: [] for racer in records}
        for _ in range(ROUNDS):
            for racer, record in records.items():
                rates[racer].append(rate(record))
        for row in wire_figures(Path(name)):
            print(json.dumps(row, ensure_ascii=False))
    show({racer: statistics.median(found) for racer, found in rates.items()}, rates)


def show(median: dict[str, float], rates: dict[str, list[float]]) -> None:
    ratio = statistics.median(
        ours / bare for ours, bare in zip(rates["ledger"], rates["bare"], strict=True)
    )
    peers = ", ".join(
        f"{racer} {value:.0f}/s" for racer, value in median.items() if racer != "ledger"
    )
    rows = [
        {
            "what": f"ledger: durable records, fact and folio in one commit ({NOT_SAFE})",
            "value": round(median["ledger"]),
            "unit": "records/s",
            "peer": peers,
        },
        {
            "what": "ledger beside bare SQLite with the same two rows and pragmas",
            "value": round(100 * ratio),
            "unit": "%",
            "goal": ">= 80",
            "peer": f"bare apsw WAL FULL {median['bare']:.0f}/s",
        },
        {
            "what": "ledger beside one fdatasync per record",
            "value": round(100 * median["ledger"] / median["fdatasync"]),
            "unit": "%",
            "peer": f"fdatasync {median['fdatasync']:.0f}/s",
        },
    ]
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
