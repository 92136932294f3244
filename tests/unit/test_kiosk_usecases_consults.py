"""The kiosk counts which trámites are opened: one fact an hour at most, and no count under five."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kiosk.simulators import MemoryLedger
from kiosk.usecases.consults import Consults
from municipio.clock import Instant, TimeQuality

START = datetime(2026, 11, 21, 18, tzinfo=UTC)


@dataclass
class Now:
    passed: timedelta = field(default_factory=timedelta)

    def now(self) -> Instant:
        ms = int(self.passed.total_seconds() * 1000)
        return Instant(START + self.passed, TimeQuality.SYNCED, "boot", ms)


def test_an_hour_is_told_with_the_next_consultation() -> None:
    ledger, clock = MemoryLedger(), Now()
    consults = Consults(ledger, clock)
    for _ in range(7):
        consults.opened("licencia")
    assert ledger.facts == []
    clock.passed = timedelta(hours=1)
    consults.opened("licencia")
    assert [fact.data["consulted"] for fact in ledger.facts] == [{"licencia": 7}]
    clock.passed = timedelta(hours=2)
    consults.opened("licencia")
    assert len(ledger.facts) == 1, "what is new is under five"
