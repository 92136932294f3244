"""The day's key for pseudonyms, kept on a memory file system: a crash of the gate must not rename everybody.

It belongs in /run (tmpfs, root only): like the key in the process it is gone with the power, and it is
replaced when its day is over.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from captive_portal.pseudonym import DAY_MS, DayKey

_KEY_BYTES = 32


class KeptDayKey(DayKey):
    """A `DayKey` that goes on where the process before this one stopped, for the rest of its day."""

    def __init__(self, now_ms: Callable[[], int], path: Path) -> None:
        super().__init__(now_ms, lambda: secrets.token_bytes(_KEY_BYTES))
        self._path = path
        kept = _read(path)
        if kept is not None and 0 <= now_ms() - kept[0] < DAY_MS:
            self._made_ms, self._key = kept
        else:
            self._keep()

    def name(self, address: str) -> str:
        made = self._made_ms
        name = super().name(address)
        if self._made_ms != made:
            self._keep()
        return name

    def _keep(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
            file.write(self._made_ms.to_bytes(8, "big") + self._key)
        fresh.replace(self._path)


def _read(path: Path) -> tuple[int, bytes] | None:
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    return (int.from_bytes(raw[:8], "big"), raw[8:]) if len(raw) == 8 + _KEY_BYTES else None
