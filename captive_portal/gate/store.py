"""Live visits on a memory file system, so that a crash of the gate ends nobody's visit.

A journal of JSON lines, appended on each change and written anew by `save`. It belongs in /run
(tmpfs, mode 0600): a power cut erases it, and hardware addresses never reach the card.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
        visits: dict[str, LiveVisit] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
                visit = _parse(line)
                if visit is not None:
                    visits[visit.mac] = visit
        return {mac: v for mac, v in visits.items() if v.deadline_ms > 0}

    def save(self, visits: Iterable[LiveVisit]) -> None:
        """Write the journal anew, whole."""
        _write(self._path, "".join(map(_spell, visits)))

    def append(self, visit: LiveVisit) -> None:
        """Remember a change; a visit that ended has deadline 0."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "w") as f:
            f.write(_spell(visit))

    def keep_shape(self, wanted: str, shape: str) -> None:
        """Remember what the kernel shows after `wanted` was built."""
        _write(self._shape, _digest(wanted) + _digest(shape))

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


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(fresh, flags, 0o600), "w") as f:
        f.write(text)
    fresh.replace(path)


def _spell(visit: LiveVisit) -> str:
    wire = {
        "m": visit.mac, "i": visit.ip, "d": visit.deadline_ms, "k": visit.mark,
        "g": visit.granted_ms, "b": visit.limits.bytes, "rd": visit.limits.rate_down_kib_s,
        "ru": visit.limits.rate_up_kib_s, "n": visit.used,
    }  # fmt: skip
    return json.dumps(wire, separators=(",", ":")) + "\n"


def _parse(line: str) -> LiveVisit | None:
    """A line cut short by a crash is no visit."""
    try:
        w = json.loads(line)
        limits = Limits(int(w["b"]), int(w["rd"]), int(w["ru"]))
        return LiveVisit(
            str(w["m"]), str(w["i"]), int(w["d"]), int(w["k"]), int(w["g"]), limits, int(w["n"])
        )
    except (ValueError, KeyError, TypeError):
        return None
