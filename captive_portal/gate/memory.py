"""The gate of the demonstration and of tests: a device is its IP address, nothing is enforced."""

from __future__ import annotations

import threading
from collections.abc import Callable

from captive_portal.gate.visits import GateStats, GateTrouble, Visit
from captive_portal.pseudonym import DayKey


class MemoryGate:
    """Keeps visits in this process. Satisfies `Gate`; never answers with trouble."""

    def __init__(self, now_ms: Callable[[], int], day_key: DayKey) -> None:
        self._now_ms = now_ms
        self._day_key = day_key
        self._lock = threading.Lock()
        self._deadline_ms: dict[str, int] = {}
        self._granted = 0
        self._revoked = 0

    def grant(self, ip: str, seconds: int) -> Visit | GateTrouble:
        with self._lock:
            self._forget_ended()
            self._deadline_ms[ip] = self._now_ms() + seconds * 1000
            self._granted += 1
        return self.look(ip)

    def revoke(self, ip: str) -> Visit | GateTrouble:
        with self._lock:
            if self._deadline_ms.pop(ip, None) is not None:
                self._revoked += 1
        return self.look(ip)

    def look(self, ip: str) -> Visit:
        deadline = self._deadline_ms.get(ip, 0)
        return Visit(ip, self._day_key.name(ip), max(0, deadline - self._now_ms()) // 1000)

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        with self._lock:
            addresses = sorted(self._deadline_ms)
        return tuple(v for v in map(self.look, addresses) if v.is_open)

    def restore(self) -> int | GateTrouble:
        with self._lock:
            self._forget_ended()
            return len(self._deadline_ms)

    def stats(self) -> GateStats | GateTrouble:
        with self._lock:
            self._forget_ended()
            return GateStats("memory", len(self._deadline_ms), self._granted, self._revoked, 0)

    def _forget_ended(self) -> None:
        now = self._now_ms()
        for ip in [ip for ip, deadline in self._deadline_ms.items() if deadline <= now]:
            del self._deadline_ms[ip]
