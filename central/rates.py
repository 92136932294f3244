"""How often a node may ask: a token bucket for each, in the memory of this process.

Only requests whose signature holds are counted, so that nobody can use up another node's share. Several
processes give a node that many shares; what the street may do to the whole is nginx's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, then `per_s` for each second."""

    burst: float
    per_s: float


NODE_RATE = Rate(burst=400, per_s=100)
"""A node that empties a week's queue sends some 25 batches a second."""

STRANGER_RATE = Rate(burst=20, per_s=0.5)
"""Enrolments of an address."""

OPEN_RATE = Rate(burst=60, per_s=2)
"""Questions of an address about what is public."""

FORGET_ABOVE = 10_000


class Buckets:
    """`clock` is monotonic seconds. Any thread."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, who: Hashable) -> bool:
        """True when `who` may go on now."""
        with self._lock:
            now = self._clock()
            level, since = self._levels.get(who, (self._rate.burst, now))
            level = min(self._rate.burst, level + (now - since) * self._rate.per_s)
            if len(self._levels) >= FORGET_ABOVE and who not in self._levels:
                self._forget(now)
            may = level >= 1
            self._levels[who] = (level - may, now)
            return may

    def _forget(self, now: float) -> None:
        """Drop whoever is full again: they begin full anyway. Failing that, everybody."""
        rate = self._rate
        kept = {
            who: (level, since)
            for who, (level, since) in self._levels.items()
            if level + (now - since) * rate.per_s < rate.burst
        }
        self._levels = kept if len(kept) < FORGET_ABOVE else {}
