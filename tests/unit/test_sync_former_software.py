"""A node that goes back to the version before keeps its ledger: schemas only add, kinds may be unknown.

`FORMER` is the oldest commit whose software promised this. Its own code, taken from the history, opens and
continues here what today's code wrote; where there is no history (a wheel, a shallow clone) that one test
is left out, and the rules that make it hold are tested all the same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import cast

import pytest

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactError, FactType, Lane, encode_fact, fact_hash
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.stored_facts import NewerFact, decode_stored
from municipio.usecases.ports import FolioStub, Recorded
from plaza.updates.health_look import read_old_rows
from sync import rows
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox
from sync.salvage import open_salvaging
from sync.seals import seal_of
from sync.verify import verify_ledger

ROOT = Path(__file__).parents[2]
FORMER = "40f953e25feaa4dc56371c5717434dab71a6d652"
PROMISED = 5
"""The schema from which each one only adds."""

CONTINUES = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from municipio.clock import Instant, TimeQuality
from municipio.facts import LANES, FactDraft, FactType
from municipio.usecases.ports import Recorded
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox
from sync.verify import verify_ledger
from sync import rows

class Now:
    def now(self):
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot-2", 1)

ledger = open_ledger(Path(sys.argv[1]), Now(), "COA007", "30039")
assert isinstance(ledger, SqliteLedger), ledger
assert verify_ledger(ledger).problems == (), verify_ledger(ledger)
assert ledger.payment("k") is not None
assert ledger.folio("F-1") is not None
assert isinstance(ledger.record(FactDraft(FactType.PAYMENT_TAKEN, {"amount_centavos": 5})), Recorded)
for stretch in Outbox(ledger).stretches():
    assert isinstance(Outbox(ledger).load(stretch.lane, stretch.epoch, 1, 500), Load)
assert verify_ledger(ledger).problems == ()
ledger.close()
print("continued")
"""


class Tomorrow(StrEnum):
    """Kinds of facts that this version does not know."""

    SANG = "node.sang"
    GIVEN_BACK = "payment.given_back"


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def opening(path: Path) -> SqliteLedger:
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    return ledger


LIKE = {Tomorrow.SANG: FactType.DEVICE_CHANGED, Tomorrow.GIVEN_BACK: FactType.PAYMENT_TAKEN}


def record(ledger: SqliteLedger, kind: StrEnum) -> None:
    """A kind of tomorrow is stored as its version would store it: numbered, chained, sealed."""
    if not isinstance(kind, Tomorrow):
        assert isinstance(ledger.record(FactDraft(cast(FactType, kind), {"a": 1})), Recorded)
        return
    with ledger.transaction() as db:
        fact = ledger.record_in(db, FactDraft(LIKE[kind], {"a": 1})).fact
        raw = encode_fact(fact).replace(
            f'"type":"{fact.type}"'.encode(), f'"type":"{kind}"'.encode()
        )
        seal = seal_of(ledger.key, fact_hash(raw))
        place = (rows.LANE_NUMBER[fact.lane], fact.seq)
        db.execute(
            "UPDATE fact SET body = ?, seal = ? WHERE lane = ? AND seq = ?", (raw, seal, *place)
        )


def written(path: Path) -> None:
    """Every kind of fact, and the rows that screens read."""
    ledger = opening(path)
    for kind in FactType:
        record(ledger, kind)
    payment = Payment("k", "F-1", "c", 5, PaymentMethod.CASH, PaymentState.TAKEN, "l")
    assert ledger.save([payment, FolioStub("F-1", "predial", "Pagado", "2026-01-20", {})]) is None
    ledger.close()


def test_facts_of_kinds_that_are_not_known_keep_their_place(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = opening(path)
    for kind in (
        FactType.NODE_STARTED,
        Tomorrow.SANG,
        FactType.DEVICE_CHANGED,
        Tomorrow.GIVEN_BACK,
    ):
        record(ledger, kind)
    assert verify_ledger(ledger).problems == ()
    assert read_old_rows(ledger) == ""
    load = Outbox(ledger).load(Lane.VIT, 1, 1, 500)
    assert isinstance(load, Load)
    assert [decode_stored(raw).type for raw in load.facts] == [
        "node.started", "node.sang", "device.changed",
    ]  # fmt: skip
    ledger.close()


def test_a_salvage_by_the_version_before_keeps_them_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = opening(path)
    for kind in (Tomorrow.GIVEN_BACK, FactType.PAYMENT_TAKEN, Tomorrow.SANG):
        record(ledger, kind)
    with ledger.reading() as db:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'payment_clave'"
        (page,), size = db.execute(sql).fetchall()[0], db.pragma("page_size")
    ledger.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))
    salvaged = open_salvaging(path, Now(), "COA007", "30039")
    assert isinstance(salvaged, SqliteLedger), salvaged
    assert verify_ledger(salvaged).problems == ()
    with salvaged.reading() as db:
        bodies = [bytes(row[0]) for row in db.execute("SELECT body FROM fact")]
    text = b"".join(bodies)
    assert b"payment.given_back" in text
    assert b"node.sang" in text
    salvaged.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b"[]", b'{"type":"node.sang"}',
        b'{"data":{},"epoch":0,"id":"x","lane":"vit","prev":"","seq":1,"source":"s","timequality":"rtc","type":"node.sang"}',
        b'{"data":{},"epoch":1,"id":"x","lane":"vit","prev":"","seq":1,"source":"s","timequality":"rtc","type":"node.started"}',
        b'{"type":"node.sang","data":{},"epoch":1,"id":"x","lane":"vit","prev":"","seq":1,"source":"s","timequality":"rtc"}',
    ],
)  # fmt: skip
def test_what_no_version_wrote_is_no_fact(raw: bytes) -> None:
    with pytest.raises(FactError):
        decode_stored(raw)


def test_a_newer_fact_says_what_a_chain_needs(tmp_path: Path) -> None:
    ledger = opening(tmp_path / "ledger.sqlite")
    record(ledger, Tomorrow.SANG)
    load = Outbox(ledger).load(Lane.VIT, 1, 1, 1)
    assert isinstance(load, Load)
    fact = decode_stored(load.facts[0])
    assert isinstance(fact, NewerFact)
    assert (fact.lane, fact.epoch, fact.seq) == (Lane.VIT, 1, 1)
    assert fact.time == datetime(2026, 1, 20, tzinfo=UTC)
    ledger.close()


def schema_scripts() -> list[tuple[int, str]]:
    folder = resources.files("sync") / "schema"
    found = [f for f in folder.iterdir() if f.name.endswith(".sql")]
    return sorted((int(f.name[:3]), f.read_text(encoding="utf-8")) for f in found)


def only_adds(script: str) -> list[str]:
    """Statements with which the version before could not go on."""
    plain = re.sub(r"--[^\n]*", "", script)
    statements = [" ".join(s.split()).upper() for s in plain.split(";") if s.strip()]
    allowed = re.compile(
        r"CREATE (TABLE|INDEX|UNIQUE INDEX) |ALTER TABLE \w+ ADD COLUMN (?!.*NOT NULL(?!.*DEFAULT))"
    )
    return [s for s in statements if not allowed.match(s) or s.startswith("CREATE UNIQUE INDEX")]


def test_every_schema_of_the_promise_only_adds() -> None:
    assert [only_adds(text) for number, text in schema_scripts() if number >= PROMISED] != []
    for number, text in schema_scripts():
        if number >= PROMISED:
            assert only_adds(text) == [], number


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE fact", "ALTER TABLE fact RENAME COLUMN seal TO mark", "DELETE FROM fact",
        "ALTER TABLE fact DROP COLUMN seal", "UPDATE fact SET seal = NULL",
        "ALTER TABLE fact ADD COLUMN x TEXT NOT NULL", "CREATE UNIQUE INDEX one ON fact (body)",
        "CREATE TRIGGER t AFTER INSERT ON fact BEGIN SELECT 1",
    ],
)  # fmt: skip
def test_what_takes_away_is_noticed(statement: str) -> None:
    assert only_adds(f"CREATE TABLE a (b);\n{statement};\n") != []
    assert only_adds("ALTER TABLE fact ADD COLUMN x TEXT NOT NULL DEFAULT '';") == []


def former_tree(folder: Path) -> Path | None:
    """The code of FORMER, None where there is no such history."""
    archive = folder / "former.tar"
    words = ["git", "-C", str(ROOT), "archive", "-o", str(archive), FORMER, "sync", "municipio"]
    if not FORMER or subprocess.run(words, capture_output=True).returncode:
        return None
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "former")
    return folder / "former"


def test_the_former_software_itself_continues_what_this_one_wrote(tmp_path: Path) -> None:
    former = former_tree(tmp_path)
    if former is None:
        pytest.skip("no history of the former software here")
    path = tmp_path / "ledger.sqlite"
    written(path)
    script = tmp_path / "continue.py"
    script.write_text(CONTINUES)
    words = [sys.executable, "-P", str(script), str(path)]
    environment = os.environ | {"PYTHONPATH": str(former)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "continued\n"), done.stderr
    ledger = opening(path)
    assert verify_ledger(ledger).problems == ()
    with ledger.reading() as db:
        assert db.execute("SELECT count(*) FROM fact WHERE lane = 0").fetchone() is not None
    ledger.close()
