"""A ledger written by any version that ever ran opens in this one, with all that it held.

`tests/golden/ledgers/schema-N.sql` are dumps of ledgers that those versions wrote themselves.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.facts import FactDraft, FactType, Lane
from municipio.usecases.ports import Recorded
from sync.database import GENERATION, SCHEMA_VERSION
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox
from sync.verify import verify_ledger

OLD = sorted((Path(__file__).parents[1] / "golden" / "ledgers").glob("schema-*.sql"))


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


def restored(dump: Path, folder: Path) -> Path:
    path = folder / "ledger.sqlite"
    db = sqlite3.connect(path)
    db.executescript(dump.read_text())
    db.close()
    return path


def opening(path: Path) -> SqliteLedger:
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    return ledger


def test_there_is_a_dump_of_every_version_that_ever_ran() -> None:
    assert [dump.stem for dump in OLD] == ["schema-1", "schema-3", "schema-4"]
    assert SCHEMA_VERSION - 1 in [int(dump.stem.split("-")[1]) for dump in OLD]


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_an_older_ledger_keeps_its_facts_its_chain_and_its_rows(dump: Path, tmp_path: Path) -> None:
    path = restored(dump, tmp_path)
    before = sqlite3.connect(path)
    bodies = before.execute("SELECT body FROM fact ORDER BY lane, epoch, seq").fetchall()
    folios = before.execute("SELECT folio FROM folio").fetchall()
    before.close()
    ledger = opening(path)
    with ledger.reading() as db:
        assert db.execute("SELECT body FROM fact ORDER BY lane, epoch, seq").fetchall() == bodies
        assert db.pragma("user_version") == SCHEMA_VERSION
    assert all(ledger.folio(folio) is not None for (folio,) in folios)
    assert verify_ledger(ledger).problems == ()
    done = ledger.record(FactDraft(FactType.PAYMENT_TAKEN, {"amount_centavos": 1}))
    assert isinstance(done, Recorded)
    assert (done.fact.epoch, done.fact.seq) == (1, 4)
    load = Outbox(ledger).load(Lane.PAY, 1, 1, 500)
    assert isinstance(load, Load)
    assert len(load.facts) == 4
    assert verify_ledger(ledger).problems == ()
    ledger.close()


def test_the_software_before_opens_what_this_one_wrote(tmp_path: Path) -> None:
    """Schemas of one generation only add, so a node that goes back (A/B) keeps its ledger."""
    path = tmp_path / "ledger.sqlite"
    opening(path).close()
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE of_tomorrow (x); ALTER TABLE fact ADD COLUMN hint TEXT")
    db.pragma("user_version", SCHEMA_VERSION + 1)
    db.close()
    ledger = opening(path)
    assert isinstance(ledger.record(FactDraft(FactType.REPORT_FILED, {})), Recorded)
    assert verify_ledger(ledger).problems == ()
    with ledger.reading() as db:
        assert db.pragma("user_version") == SCHEMA_VERSION + 1, "it is not marked as older"
    ledger.close()
    assert SCHEMA_VERSION < GENERATION
