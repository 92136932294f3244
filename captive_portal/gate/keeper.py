"""The gate's second thread: books visits as the kernel ends them, and checks that the firewall stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

CHECK_S = 3.0
COUNT_EVERY = 10
"""Every so many checks the visits themselves are counted and their bytes put in the store."""


class Kept(Protocol):
    def next_event_ms(self) -> int | None: ...
    def sweep(self) -> None: ...
    def last_readings(self) -> None: ...
    def check(self, *, count: bool = False) -> bool: ...


class Keeper:
    """Runs until `stop`. Ending visits is the kernel's work: a slow keeper keeps nobody in."""

    def __init__(
        self, gate: Kept, now_ms: Callable[[], int], ahead_ms: int, check_s: float = CHECK_S
    ) -> None:
        self._gate, self._now_ms = gate, now_ms
        self._ahead_ms, self._check_s = ahead_ms, check_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        checks, due = 0, self._now_ms() + int(self._check_s * 1000)
        while not self._stop.wait(self._pause_s(due)):
            self._gate.last_readings()
            self._gate.sweep()
            if self._now_ms() >= due:
                checks += 1
                self._gate.check(count=checks % COUNT_EVERY == 0)
                due = self._now_ms() + int(self._check_s * 1000)

    def _pause_s(self, due_ms: int) -> float:
        """To the next end of a visit or check; at most a second, for visits that begin meanwhile."""
        now, event = self._now_ms(), self._gate.next_event_ms()
        until = min(due_ms, now + 1000)
        if event is not None:
            ahead = event - self._ahead_ms // 2
            until = min(until, ahead if ahead > now else event)
        return max(0.005, (until - now) / 1000)
