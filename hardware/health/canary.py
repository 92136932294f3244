"""Write 4 KiB to the data partition, force it down, read it back: does the card still keep things?

A dying card on Linux is mounted on and limps; it tells nobody. This asks it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

BYTES = 4096
PREFIX = ".canary-"
_flights = itertools.count()


class Came(Enum):
    BACK = auto()
    DIFFERENT = auto()
    NOT_WRITTEN = auto()
    NOT_READ = auto()


@dataclass(frozen=True, slots=True)
class CanaryResult:
    came: Came
    took_ms: int
    detail: str = ""


def fly(folder: Path) -> CanaryResult:
    """Blocks as long as the card does: call it from a thread that may be left behind."""
    # A name of its own: the kiosk and a technician's command may test at the same moment, as
    # different users, and neither may take the other's bytes for a fault.
    path = folder / f"{PREFIX}{os.getpid()}-{next(_flights)}"
    try:
        _sweep(folder)
        return _there_and_back(path)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _there_and_back(path: Path) -> CanaryResult:
    sent = secrets.token_bytes(BYTES)
    began = time.monotonic()
    try:
        _write(path, sent)
    except OSError as problem:
        return CanaryResult(Came.NOT_WRITTEN, _since(began), problem.strerror or "")
    took_ms = _since(began)
    try:
        came = path.read_bytes()
    except OSError as problem:
        return CanaryResult(Came.NOT_READ, took_ms, problem.strerror or "")
    return CanaryResult(Came.BACK if came == sent else Came.DIFFERENT, took_ms)


def _sweep(folder: Path) -> None:
    """Take away what a power cut left in flight."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}*"):
            pid = path.name.removeprefix(PREFIX).split("-")[0]
            if not Path("/proc", pid).exists():
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if os.write(handle, data) != len(data):
            raise OSError(5, "short write")
        os.fsync(handle)
        # Without this the answer would come from memory and prove nothing.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
