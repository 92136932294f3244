"""Who has the ledger open: every program shares the lock, a salvage needs it alone.

A file of its own, because closing any other handle of the ledger's file would drop SQLite's locks.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from sync.sharing import open_shared

_PAUSE_S = 0.05


class UseLock:
    """A held lock; `close` gives it back, and so does the end of the process."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def lock_file(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.lock")


def share(ledger: Path) -> UseLock:
    """Use the ledger with others; waits while a salvage is going on. OSError when the disk refuses."""
    handle = _open(ledger)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return UseLock(handle)


def alone(ledger: Path, wait_s: float) -> UseLock | None:
    """Have the ledger alone, None when another program keeps it for longer than `wait_s`."""
    handle = _open(ledger)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return UseLock(handle)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                return None
            time.sleep(_PAUSE_S)


def _open(ledger: Path) -> int:
    ledger.parent.mkdir(parents=True, exist_ok=True)
    return open_shared(lock_file(ledger), os.O_RDWR | os.O_CREAT)
