"""The technician's key to the status page: a file that one makes on the node, and links that expire.

There is no default secret: without the file the page does not exist. The file never travels. What
travels, on an open network that anybody can hear, is a link of half an hour that the first device to
use it keeps for itself; it opens totals to read and nothing else. Whoever may make a link can already
read everything: it takes the node's own console.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import threading
from collections import OrderedDict
from pathlib import Path

from municipio.clock import Instant

KEY_BYTES = 32
LIFE_MIN = 30
MAX_LIFE_MIN = 12 * 60
_MAC_HEX = 32
MAX_HOLDERS = 64


def key_file(keys: Path) -> Path:
    return keys / "status.key"


def make_key(path: Path) -> bytes:
    """A new key in place of any old one: every link of before ends. Raises OSError."""
    key = secrets.token_bytes(KEY_BYTES)
    part = path.with_suffix(".new")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return key


def load_key(path: Path) -> bytes | None:
    """None without a whole key that only its owner can read."""
    with contextlib.suppress(OSError):
        if path.stat().st_mode & 0o077:
            return None
        key = path.read_bytes()
        return key if len(key) == KEY_BYTES else None
    return None


def make_pass(key: bytes, node_code: str, at: Instant, minutes: int = LIFE_MIN) -> str:
    """What the link carries: good until that many minutes of this boot have passed."""
    until = f"{at.boot_ms + minutes * 60_000:x}"
    return f"{until}.{_mac(key, node_code, at.boot, until)}"


def is_pass(key: bytes, node_code: str, at: Instant, text: str) -> bool:
    until, _, mac = text.partition(".")
    if len(text) > 80 or not text.isascii() or not until.isalnum():
        return False
    if not hmac.compare_digest(mac, _mac(key, node_code, at.boot, until)):
        return False
    return at.boot_ms < int(until, 16)


def _mac(key: bytes, node_code: str, boot: str, until: str) -> str:
    message = "\n".join(("plaza status page v1", node_code, boot, until)).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_MAC_HEX]


class Holders:
    """Which address a pass belongs to: the first that showed it. In memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_pass: OrderedDict[str, str] = OrderedDict()

    def is_mine(self, text: str, address: str) -> bool:
        with self._lock:
            holder = self._by_pass.setdefault(text, address)
            while len(self._by_pass) > MAX_HOLDERS:
                self._by_pass.popitem(last=False)
        return holder == address
