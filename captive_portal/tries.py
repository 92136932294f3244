"""How often somebody may be wrong: few times a device, and a bounded number of times for everybody."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

MAX_REMEMBERED = 4096


class Tries:
    """Counts tries in a sliding window, in memory. Names are day pseudonyms or addresses; none is kept
    longer than the window.

    A whole network of devices guessing together meets `most_all`; a person who mistypes meets `most_each`.
    """

    def __init__(
        self, now_ms: Callable[[], int], *, most_each: int, most_all: int, window_s: int
    ) -> None:
        self._now_ms = now_ms
        self._most_each, self._most_all = most_each, most_all
        self._window_ms = window_s * 1000
        self._lock = threading.Lock()
        self._all: deque[int] = deque()
        self._each: OrderedDict[str, deque[int]] = OrderedDict()

    def may(self, who: str) -> bool:
        """False while `who`, or everybody together, has to wait."""
        with self._lock:
            self._forget()
            return len(self._all) < self._most_all and (
                len(self._each.get(who, ())) < self._most_each
            )

    def count(self, who: str) -> None:
        """One more, now."""
        with self._lock:
            self._forget()
            now = self._now_ms()
            self._all.append(now)
            self._each.setdefault(who, deque()).append(now)
            self._each.move_to_end(who)
            while len(self._each) > MAX_REMEMBERED:
                self._each.popitem(last=False)

    def _forget(self) -> None:
        old = self._now_ms() - self._window_ms
        while self._all and self._all[0] <= old:
            self._all.popleft()
        for who in list(self._each):
            times = self._each[who]
            while times and times[0] <= old:
                times.popleft()
            if not times:
                del self._each[who]
