"""Form seals instead of cookies: a form is accepted once, from the address it was shown to, in time.

A seal is `issued.random.mac` under a key in memory; the MAC covers the purpose and the address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from enum import StrEnum

SEAL_LIFE_MS = 60 * 60 * 1000
MAX_CLAIMED = 20_000
_RANDOM_HEX, _MAC_HEX = 16, 32


class SealState(StrEnum):
    FRESH = "fresh"
    USED = "used"
    """This form was sent before; `FormSeal.result_of` says what came of it."""
    STALE = "stale"
    FORGED = "forged"


class FormSeal:
    """Makes and checks seals. Restarting the program makes every open form stale, never dangerous."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._claimed: OrderedDict[str, str] = OrderedDict()

    def make(self, purpose: str, address: str, now_ms: int) -> str:
        body = f"{now_ms:x}.{secrets.token_hex(_RANDOM_HEX // 2)}"
        return f"{body}.{self._mac(purpose, address, body)}"

    def claim(self, seal: str, purpose: str, address: str, now_ms: int) -> SealState:
        """Check a seal and, if FRESH, use it up. Call `release` when the work could not be done."""
        body, _, mac = seal.rpartition(".")
        if len(seal) > 128 or not seal.isascii():
            return SealState.FORGED
        if not hmac.compare_digest(mac, self._mac(purpose, address, body)):
            return SealState.FORGED
        if now_ms - int(body.split(".")[0], 16) > SEAL_LIFE_MS:
            return SealState.STALE
        with self._lock:
            if seal in self._claimed:
                return SealState.USED
            self._claimed[seal] = ""
            while len(self._claimed) > MAX_CLAIMED:
                self._claimed.popitem(last=False)
        return SealState.FRESH

    def release(self, seal: str) -> None:
        """Give a claimed seal back: its form may be sent again."""
        with self._lock:
            self._claimed.pop(seal, None)

    def keep_result(self, seal: str, result: str) -> None:
        """Remember what came of a form, so that sending it twice shows the same answer."""
        with self._lock:
            if seal in self._claimed:
                self._claimed[seal] = result

    def result_of(self, seal: str) -> str:
        with self._lock:
            return self._claimed.get(seal, "")

    def _mac(self, purpose: str, address: str, body: str) -> str:
        message = "\n".join((purpose, address, body)).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_MAC_HEX]
