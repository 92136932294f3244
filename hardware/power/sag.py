"""Tell a battery that is dying from one that is empty. Pure.

An empty battery goes down over hours. A dying one says that it is charged and falls by half a volt
or more the moment that something is switched on.
"""

from __future__ import annotations

from collections import deque

from hardware.power.soc import blocks_of_12v
from hardware.power.state import Reading

WINDOW_S = 5.0
WELL_MV, COLLAPSED_MV = 12_200, 11_600
"""Per 12 V of nominal voltage."""
HOLDS_PERCENT = 50
REMEMBER_S = 600.0
SAMPLES_MAX = 64


class SagWatch:
    """Feed every reading with its monotonic time; `is_failing` holds ten minutes after a collapse."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, int]] = deque(maxlen=SAMPLES_MAX)
        self._seen_at: float | None = None

    def see(self, reading: Reading, now: float) -> bool:
        """True while this battery is to be taken for a failing one."""
        blocks = blocks_of_12v(reading.battery_mv)
        if blocks is None:
            return self.is_failing(now)
        millivolts = reading.battery_mv // blocks
        while self._recent and now - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
        was_well = any(earlier >= WELL_MV for _, earlier in self._recent)
        says_charged = (reading.soc_percent or 0) >= HOLDS_PERCENT
        self._recent.append((now, millivolts))
        if millivolts <= COLLAPSED_MV and (was_well or says_charged):
            self._seen_at = now
        return self.is_failing(now)

    def is_failing(self, now: float) -> bool:
        return self._seen_at is not None and now - self._seen_at < REMEMBER_S
