"""A device's name for one day: a truncated HMAC under a key that only ever lives in memory.

Once the key is replaced nobody, the city included, can link a pseudonym to a device or to the next
day's pseudonym. 40 bits keep collisions under 1 % up to about 100,000 devices a day.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable

DAY_MS = 24 * 60 * 60 * 1000
PSEUDONYM_HEX = 10


class DayKey:
    """Names devices with a key that is forgotten `DAY_MS` after it was made.

    `now_ms` is any clock that never goes back (CLOCK_BOOTTIME): a wrong date cannot prolong a key.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        make_key: Callable[[], bytes] = lambda: secrets.token_bytes(32),
    ) -> None:
        self._now_ms = now_ms
        self._make_key = make_key
        self._lock = threading.Lock()
        self._key = make_key()
        self._made_ms = now_ms()

    def name(self, address: str) -> str:
        """Ten hex digits for a MAC or IP address; the same all day, unlinkable afterwards."""
        with self._lock:
            now = self._now_ms()
            if now - self._made_ms >= DAY_MS:
                self._key = self._make_key()
                self._made_ms = now
            key = self._key
        return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_HEX]
