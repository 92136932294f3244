"""Live visits on a memory file system, so that a crash of the gate ends nobody's visit.

A journal of JSON lines, appended on each change and compacted on load. It belongs in /run (tmpfs,
mode 0600): a power cut erases it, and hardware addresses never reach the card.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LiveVisit:
    """A hardware address, the IP it asked from, and its deadline on CLOCK_BOOTTIME."""

    mac: str
    ip: str
    deadline_ms: int


class VisitStore:
    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, now_ms: int) -> dict[str, LiveVisit]:
        """Visits that still have time, by hardware address; rewrites the journal with only those."""
        visits: dict[str, LiveVisit] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
                visit = _parse(line)
                if visit is not None:
                    visits[visit.mac] = visit
        visits = {mac: v for mac, v in visits.items() if v.deadline_ms > now_ms}
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.writelines(_spell(v) for v in visits.values())
        fresh.replace(self._path)
        return visits

    def append(self, visit: LiveVisit) -> None:
        """Remember a change; a visit that ended has deadline 0."""
        with os.fdopen(
            os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w"
        ) as f:
            f.write(_spell(visit))


def _spell(visit: LiveVisit) -> str:
    return json.dumps({"m": visit.mac, "i": visit.ip, "d": visit.deadline_ms}) + "\n"


def _parse(line: str) -> LiveVisit | None:
    """A line cut short by a crash is no visit."""
    try:
        wire = json.loads(line)
        return LiveVisit(str(wire["m"]), str(wire["i"]), int(wire["d"]))
    except (ValueError, KeyError, TypeError):
        return None
