"""How many people were served, hour by hour, and nothing about any of them.

Two facts an hour at most: `visit.counted` (devices, acceptances, refusals) and `visit.ended` (visits
that ended, minutes, MiB). A number from 1 to 4 is left unsaid (null): few people at a known place and
hour could be recognised. Parts of a whole are only given when every part that is not zero is large
enough, otherwise the missing one could be computed.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from captive_portal.gate.visits import EndedVisit
from municipio.clock import Instant
from municipio.facts import FactDraft, FactType

SMALLEST = 5
HOUR_MS = 60 * 60 * 1000


def told(count: int) -> int | None:
    """A count that may be said: 0 or at least five; None for what could point at somebody."""
    return None if 0 < count < SMALLEST else count


def parts(counts: Mapping[str, int]) -> dict[str, int] | None:
    """A breakdown, given whole or not at all."""
    return None if any(told(n) is None for n in counts.values()) else dict(counts)


class HourTally:
    """Collects one hour. Safe for threads; device names stay in here and end with the hour."""

    def __init__(self, now: Instant) -> None:
        self._lock = threading.Lock()
        self._begin(now)

    def _begin(self, now: Instant) -> None:
        self._hour, self._began_ms = _hour_of(now), now.boot_ms
        self._devices: set[str] = set()
        self._languages: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._resumed = 0
        self._causes: Counter[str] = Counter()
        self._seconds = self._bytes = 0

    def accepted(self, device: str, language: str, *, resumed: bool = False) -> None:
        with self._lock:
            self._devices.add(device)
            self._languages[language] += 1
            self._resumed += resumed

    def refused(self, why: str) -> None:
        with self._lock:
            self._refused[why] += 1

    def ended(self, visit: EndedVisit) -> None:
        with self._lock:
            self._causes[visit.cause.value] += 1
            self._seconds += visit.seconds
            self._bytes += visit.bytes

    def close(self, now: Instant, *, at_once: bool = False) -> list[FactDraft]:
        """The facts of the hour if it is over (or `at_once`), and a new hour begins."""
        with self._lock:
            hour = _hour_of(now)
            over = hour != self._hour if hour and self._hour else False
            if not (over or at_once or now.boot_ms - self._began_ms >= HOUR_MS):
                return []
            drafts = [*self._counted(), *self._ended()]
            self._begin(now)
            return drafts

    def _counted(self) -> list[FactDraft]:
        if not self._languages and not self._refused:
            return []
        data: dict[str, Any] = {
            "hour": self._hour,
            "devices": told(len(self._devices)),
            "accepted": told(self._languages.total()),
            "resumed": told(self._resumed),
            "languages": parts(self._languages),
            "refused": parts(self._refused),
        }
        return [FactDraft(FactType.VISIT_COUNTED, data)]

    def _ended(self) -> list[FactDraft]:
        visits = self._causes.total()
        if not visits:
            return []
        few = told(visits) is None
        data: dict[str, Any] = {
            "hour": self._hour,
            "visits": told(visits),
            "causes": parts(self._causes),
            "minutes": None if few else self._seconds // 60,
            "mib": None if few else self._bytes >> 20,
        }
        return [FactDraft(FactType.VISIT_ENDED, data)]


def _hour_of(now: Instant) -> str:
    """`2026-01-20T18` in UTC; empty while the clock cannot be believed."""
    return now.time.strftime("%Y-%m-%dT%H") if now.is_trusted and now.time is not None else ""
