"""Room on the disk that only money and reports may use, when everything else has filled it.

Two files of zeros that really occupy their blocks. A full disk gives the first to payments and reports,
the second to payments alone; the worker makes them again once there is room.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from municipio.facts import Lane
from sync.sharing import open_shared

RESERVE_BYTES = 8 * 1024 * 1024
_SPARE = 4
"""A reserve is made only where this many times its size is free."""


class Reserve:
    """The two files beside a ledger."""

    def __init__(self, folder: Path, size: int = RESERVE_BYTES) -> None:
        self._shared = folder / "reserve-1"
        self._money = folder / "reserve-2"
        self._size = size

    def release(self, lane: Lane) -> bool:
        """Give room to a lane that may have it; True when a try is worth it now."""
        files = {Lane.PAY: (self._shared, self._money), Lane.REP: (self._shared,)}
        for file in files.get(lane, ()):
            with contextlib.suppress(OSError):
                file.unlink()
                return True
        return False

    def fill(self) -> None:
        """Make what is missing, if the disk has plenty of room; never an error."""
        for file in (self._money, self._shared):
            with contextlib.suppress(OSError):
                if not file.exists() and _free(file.parent) > _SPARE * self._size:
                    self._make(file)

    def _make(self, file: Path) -> None:
        handle = open_shared(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.posix_fallocate(handle, 0, self._size)
        except OSError:
            file.unlink()
            raise
        finally:
            os.close(handle)


def _free(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize
