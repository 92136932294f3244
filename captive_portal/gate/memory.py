"""The gate of the demonstration and of tests: a device is its IP address, nothing is enforced.

Time passes by its clock; bytes are what `spend` is told, for nothing flows through here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from captive_portal.gate.visits import (
    NO_LIMITS,
    EndCause,
    EndedVisit,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.pseudonym import DayKey

MAX_ENDED = 10_000


@dataclass(frozen=True, slots=True)
class _Open:
    granted_ms: int
    deadline_ms: int
    limits: Limits
    used: int = 0


class MemoryGate:
    """Keeps visits in this process. Satisfies `Gate`; the only trouble it answers is FULL."""

    def __init__(self, now_ms: Callable[[], int], day_key: DayKey, max_open: int = 0) -> None:
        self._now_ms = now_ms
        self._day_key = day_key
        self._max_open = max_open
        self._lock = threading.RLock()
        self._open: dict[str, _Open] = {}
        self._ended: deque[EndedVisit] = deque(maxlen=MAX_ENDED)
        self._count = dict.fromkeys(EndCause, 0)
        self._granted = self._refused = self._bytes = 0

    def grant(self, ip: str, seconds: int, limits: Limits = NO_LIMITS) -> Visit | GateTrouble:
        with self._lock:
            self._sweep()
            if self._max_open and ip not in self._open and len(self._open) >= self._max_open:
                self._refused += 1
                return GateTrouble(GateCause.FULL, f"{self._max_open} devices are open")
            now = self._now_ms()
            self._end(ip, EndCause.REPLACED)
            self._open[ip] = _Open(now, now + seconds * 1000, limits)
            self._granted += 1
            return self.look(ip)

    def revoke(self, ip: str) -> Visit | GateTrouble:
        with self._lock:
            self._sweep()
            self._end(ip, EndCause.REVOKED)
            return self.look(ip)

    def look(self, ip: str) -> Visit:
        with self._lock:
            self._sweep()
            visit = self._open.get(ip)
            if visit is None:
                return Visit(ip, self._day_key.name(ip), 0)
            total = visit.limits.bytes
            return Visit(
                ip,
                self._day_key.name(ip),
                -(-(visit.deadline_ms - self._now_ms()) // 1000),
                visit.used,
                total - visit.used if total else None,
            )

    def spend(self, ip: str, count: int) -> None:
        """Tell that an open visit used so many bytes, as the kernel would have counted them."""
        with self._lock:
            self._sweep()
            if ip in self._open:
                self._open[ip] = replace(self._open[ip], used=self._open[ip].used + count)

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        with self._lock:
            self._sweep()
            return tuple(v for v in map(self.look, sorted(self._open)) if v.is_open)

    def ended(self) -> tuple[EndedVisit, ...] | GateTrouble:
        with self._lock:
            self._sweep()
            told = tuple(self._ended)
            self._ended.clear()
            return told

    def restore(self) -> int | GateTrouble:
        with self._lock:
            self._sweep()
            return len(self._open)

    def stats(self) -> GateStats | GateTrouble:
        with self._lock:
            self._sweep()
            return GateStats(
                "memory",
                len(self._open),
                self._granted,
                self._count[EndCause.REVOKED],
                self._refused,
                self._count[EndCause.TIME],
                self._count[EndCause.BYTES],
                self._bytes + sum(v.used for v in self._open.values()),
                self._max_open,
            )

    def _sweep(self) -> None:
        now = self._now_ms()
        for ip, visit in list(self._open.items()):
            if visit.deadline_ms <= now:
                self._end(ip, EndCause.TIME)
            elif visit.limits.bytes and visit.used >= visit.limits.bytes:
                self._end(ip, EndCause.BYTES)

    def _end(self, ip: str, cause: EndCause) -> None:
        visit = self._open.pop(ip, None)
        if visit is None:
            return
        self._count[cause] += 1
        self._bytes += visit.used
        seconds = (min(self._now_ms(), visit.deadline_ms) - visit.granted_ms) // 1000
        self._ended.append(EndedVisit(self._day_key.name(ip), cause, seconds, visit.used))
