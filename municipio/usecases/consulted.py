"""Which trámites people open, told as totals that point at nobody. Pure; callers bring the lock.

A count is told once it has reached five, and waits until then, over hours if it must: few people at a
known place and hour could be recognised by what they looked up. What waits is in memory alone.
"""

from __future__ import annotations

from collections import Counter

from municipio.clock import Instant
from municipio.facts import FactDraft, FactType

SMALLEST = 5
HOUR_MS = 60 * 60 * 1000
MAX_IDS = 1000
"""Ids come from the catalogue, which is smaller; the bound holds whatever a caller gives."""


class ConsultTally:
    """Collects until the hour is over; `channel` is `kiosco` or `portal`. Not safe for threads."""

    def __init__(self, channel: str, now: Instant) -> None:
        self._channel = channel
        self._counts: Counter[str] = Counter()
        self._since = self._hour = hour_of(now)
        self._began_ms = now.boot_ms

    def opened(self, tramite_id: str) -> None:
        if tramite_id in self._counts or len(self._counts) < MAX_IDS:
            self._counts[tramite_id] += 1

    def close(self, now: Instant, *, at_once: bool = False) -> FactDraft | None:
        """The fact of the hour if it is over (or `at_once`) and something may be told."""
        hour = hour_of(now)
        over = bool(hour and self._hour) and hour != self._hour
        if not (over or at_once or now.boot_ms - self._began_ms >= HOUR_MS):
            return None
        told = {name: count for name, count in self._counts.items() if count >= SMALLEST}
        data = {
            "since": self._since,
            "hour": self._hour,
            "channel": self._channel,
            "consulted": told,
        }
        self._hour, self._began_ms = hour, now.boot_ms
        for name in told:
            del self._counts[name]
        if not self._counts:
            self._since = hour
        return FactDraft(FactType.TRAMITE_CONSULTED, data) if told else None


def hour_of(now: Instant) -> str:
    """`2026-01-20T18` in UTC; empty while the clock cannot be believed."""
    return now.time.strftime("%Y-%m-%dT%H") if now.is_trusted and now.time is not None else ""
