"""A version goes out ring by ring, and stops by itself where too many nodes come back. Pure.

A ring opens when the one before had its time and one of its nodes found the version good. What counts
against a version: a node that returned, and a node that was told to go and was not heard again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LAST_RING = 9


class RolloutState(StrEnum):
    GOING = "going"
    STOPPED = "stopped"


class Outcome(StrEnum):
    ASKED = "asked"
    UPDATED = "updated"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Plan:
    """`ring` is the last that is open, of `rings`; `silent` zero: silence says nothing."""

    version: str
    state: RolloutState
    reason: str
    ring: int
    rings: int
    bound_percent: int
    wait: timedelta
    silent: timedelta
    started_at: datetime
    ring_since: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """Nodes of one ring. `waiting` were told to go and may still be at it."""

    updated: int = 0
    returned: int = 0
    silent: int = 0
    waiting: int = 0

    @property
    def failed(self) -> int:
        return self.returned + self.silent

    @property
    def ended(self) -> int:
        return self.updated + self.failed


@dataclass(frozen=True, slots=True)
class Stop:
    """Too many of a ring failed."""

    ring: int
    count: Count
    bound_percent: int


@dataclass(frozen=True, slots=True)
class OpenRing:
    ring: int


def judge(plan: Plan, counts: Mapping[int, Count], now: datetime) -> Stop | OpenRing | None:
    """What must happen now; None: go on as it is."""
    if plan.state is RolloutState.STOPPED:
        return None
    for ring, count in sorted(counts.items()):
        if count.failed and count.failed * 100 > plan.bound_percent * count.ended:
            return Stop(ring, count, plan.bound_percent)
    if plan.ring < plan.rings and now - plan.ring_since >= plan.wait:
        here = counts.get(plan.ring, Count())
        # A ring in which there is no node at all holds nobody up.
        if here.updated or not (here.ended or here.waiting):
            return OpenRing(plan.ring + 1)
    return None


def is_silent(plan: Plan, asked_at: datetime, now: datetime) -> bool:
    """A node that waits for its hour asks again and again; one that died does not."""
    return bool(plan.silent) and now - asked_at > plan.silent
