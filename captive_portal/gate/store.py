"""Live visits on a memory file system, so that a crash of the gate ends nobody's visit.

A journal of JSON lines, appended on each change and written anew by `save`. It belongs in /run
(tmpfs, mode 0600): a power cut erases it, and hardware addresses never reach the card.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from captive_portal.gate.elements import LAST_MARK, is_mac
from captive_portal.gate.visits import NO_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class LiveVisit:
    """A hardware address, the IP it asked from, its times on CLOCK_BOOTTIME, and what it may use."""

    mac: str
    ip: str
    deadline_ms: int
    mark: int = 1
    granted_ms: int = 0
    limits: Limits = NO_LIMITS
    used: int = 0


class VisitStore:
    """`path` and, beside it, the shape of the tables that were built last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shape = path.with_suffix(".shape")

    def load(self) -> dict[str, LiveVisit]:
        """The last word about each visit, by hardware address; those that ended are left out."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        visits = {v.mac: v for v in map(_parse, lines) if v is not None}
        return {mac: v for mac, v in visits.items() if v.deadline_ms > 0}

    def save(self, visits: Iterable[LiveVisit]) -> None:
        """Write the journal anew, whole."""
        _write(self._path, b"".join(map(_spell, visits)))

    def append(self, visit: LiveVisit) -> None:
        """Remember a change; a visit that ended has deadline 0."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "wb") as f:
            f.write(_spell(visit))

    def keep_shape(self, wanted: str, shape: str) -> None:
        """Remember what the kernel shows after `wanted` was built."""
        _write(self._shape, (_digest(wanted) + _digest(shape)).encode())

    def is_shape(self, wanted: str, shape: str) -> bool:
        """The kernel still shows what it showed when exactly this text was built."""
        if not shape:
            return False
        try:
            return self._shape.read_text() == _digest(wanted) + _digest(shape)
        except OSError:
            return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() + "\n"


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(fresh, flags, 0o600), "wb") as f:
        f.write(content)
    fresh.replace(path)


_Row = tuple[str, str, int, int, int, int, int, int, int]
_DECODER = msgspec.json.Decoder(_Row)
_ENCODER = msgspec.json.Encoder()


def _spell(v: LiveVisit) -> bytes:
    limits = v.limits
    row: _Row = (
        v.mac, v.ip, v.deadline_ms, v.mark, v.granted_ms,
        limits.bytes, limits.rate_down_kib_s, limits.rate_up_kib_s, v.used,
    )  # fmt: skip
    return _ENCODER.encode(row) + b"\n"


def _parse(line: bytes) -> LiveVisit | None:
    """A line cut short by a crash is no visit."""
    try:
        mac, ip, deadline, mark, granted, total, down, up, used = _DECODER.decode(line)
        if not is_mac(mac) or not 0 < mark <= LAST_MARK:
            return None
        limits = Limits(total, down, up) if total or down or up else NO_LIMITS
        return LiveVisit(mac, ip, deadline, mark, granted, limits, used)
    except (msgspec.MsgspecError, ValueError):
        return None
