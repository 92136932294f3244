"""What this portal knows about itself now, as one value: for the technician's page and the metrics.

Totals only. Nothing here is about one device, and nothing can be made to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from captive_portal.filter.database import Facts
from captive_portal.gate.visits import GateStats, GateTrouble, Visit
from captive_portal.ports import Ports
from municipio.usecases.ports import LinkReport


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Of the open visits that have a quota of bytes: how many, what they used, what they may use."""

    visits: int
    used: int
    whole: int

    @property
    def percent(self) -> int:
        return self.used * 100 // self.whole if self.whole else 0


@dataclass(frozen=True, slots=True)
class ListState:
    """The filter list in use; `date` is None when none can be read, and `trouble` says why."""

    date: date | None
    names: int = 0
    age_days: int | None = None
    """None when the clock or the list's date cannot be believed."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    gate: GateStats | GateTrouble
    quota: QuotaUse
    link: LinkReport
    filter: ListState
    events: dict[str, int]
    """`counters.Count` and how often, since the start."""


def take_vitals(ports: Ports) -> Vitals:
    """Ask every part once."""
    today = ports.clock.now().local_date(ports.site.zone)
    return Vitals(
        gate=ports.gate.stats(),
        quota=_quota(ports.gate.visits()),
        link=ports.link.report(),
        filter=list_state(ports, today if ports.clock.now().is_trusted else None),
        events=ports.door.counters.read(),
    )


def list_state(ports: Ports, today: date | None) -> ListState:
    facts = ports.filter.facts()
    if not isinstance(facts, Facts):
        return ListState(None, trouble=facts.detail)
    made = date.fromisoformat(facts.date)
    age = (today - made).days if today is not None and today >= made else None
    return ListState(made, facts.names, age)


def _quota(visits: tuple[Visit, ...] | GateTrouble) -> QuotaUse:
    if isinstance(visits, GateTrouble):
        return QuotaUse(0, 0, 0)
    limited = [v for v in visits if v.bytes_left is not None]
    used = sum(v.bytes_used for v in limited)
    return QuotaUse(len(limited), used, used + sum(v.bytes_left or 0 for v in limited))
