"""Once a boot and once a day the city's clock is noted, from answers that nobody can have kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from municipio.clock import Instant, TimeQuality
from municipio.clock_anchor import Anchor, read_anchor
from municipio.facts import FactType, Lane, decode_fact
from municipio.wire.ack import Ack
from sync.clock_check import EVERY_MS, LONGEST_MS, ClockCheck
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox

TOLD = "2026-11-21T18:00:00.000Z"
ACK = Ack("COA007", 1, Lane.REP, 3, "ab" * 32, city_time=TOLD)


class Counter:
    def __init__(self) -> None:
        self.boot, self.ms = "one", 1000

    def now(self) -> Instant:
        return Instant(None, TimeQuality.UNKNOWN, self.boot, self.ms)


@pytest.fixture
def clock() -> Counter:
    return Counter()


@pytest.fixture
def ledger(tmp_path: Path, clock: Counter) -> Iterator[SqliteLedger]:
    opened = open_ledger(tmp_path / "ledger.sqlite", clock, "COA007", "30039")
    assert isinstance(opened, SqliteLedger)
    yield opened
    opened.close()


def exchange(check: ClockCheck, clock: Counter, took_ms: int = 400, cleared: int = 1) -> None:
    asked = check.now()
    clock.ms += took_ms
    check.heard(asked, ACK, cleared)


def noted(ledger: SqliteLedger) -> list[Anchor]:
    load = Outbox(ledger).load(Lane.VIT, 1, 1, 100)
    facts = [decode_fact(raw) for raw in load.facts] if isinstance(load, Load) else []
    assert {fact.type for fact in facts} <= {FactType.NODE_CLOCK_CHECKED}
    anchors = [read_anchor(fact.boot, fact.data) for fact in facts]
    return [anchor for anchor in anchors if anchor is not None]


def test_an_answer_that_cleared_facts_is_noted_between_asking_and_hearing(
    tmp_path: Path, ledger: SqliteLedger, clock: Counter
) -> None:
    exchange(ClockCheck(ledger, tmp_path), clock)
    assert noted(ledger) == [Anchor("one", datetime(2026, 11, 21, 18, tzinfo=UTC), 1000, 1400)]


def test_once_a_boot_and_once_a_day_also_over_restarts_of_the_program(
    tmp_path: Path, ledger: SqliteLedger, clock: Counter
) -> None:
    for _ in range(3):
        exchange(ClockCheck(ledger, tmp_path), clock)
    assert len(noted(ledger)) == 1
    clock.ms += EVERY_MS
    exchange(ClockCheck(ledger, tmp_path), clock)
    assert len(noted(ledger)) == 2
    clock.boot, clock.ms = "two", 5
    exchange(ClockCheck(ledger, tmp_path), clock)
    assert [anchor.boot for anchor in noted(ledger)] == ["one", "one", "two"]


def test_an_answer_that_says_little_is_not_noted(
    tmp_path: Path, ledger: SqliteLedger, clock: Counter
) -> None:
    check = ClockCheck(ledger, tmp_path)
    exchange(check, clock, cleared=0)
    exchange(check, clock, took_ms=LONGEST_MS + 1)
    asked = check.now()
    check.heard(asked, Ack("COA007", 1, Lane.REP, 3, "ab" * 32), 1)
    assert noted(ledger) == []


def test_a_damaged_note_counts_as_none(
    tmp_path: Path, ledger: SqliteLedger, clock: Counter
) -> None:
    (tmp_path / "clock_check.json").write_text("[")
    exchange(ClockCheck(ledger, tmp_path), clock)
    assert len(noted(ledger)) == 1
