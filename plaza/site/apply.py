"""`plaza site apply`: look, plan, do. May be cut anywhere and run again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from municipio.site_file.state import SiteState, decode_state
from plaza.site.planner import plan_steps
from plaza.site.steps import Place, Seen, Step, Write
from sync.datadir import DataDir
from sync.site_state import BOOTS_NAME, STATE_NAME, booted, read_boots


class Disk(Protocol):
    def look(self) -> Seen: ...

    def do(self, step: Step) -> bool: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What the file came to, and how many steps changed something."""

    state: SiteState
    changed: int


def apply_site(disk: Disk) -> Applied:
    """Do every step. OSError when a disk refuses; running it again goes on."""
    steps = plan_steps(disk.look())
    changed = sum(disk.do(step) for step in steps)
    told = next(s for s in steps if isinstance(s, Write) and s.name == STATE_NAME)
    state = decode_state(told.content)
    assert state is not None, "our own words"
    return Applied(state, changed)


def note_boot(disk: Disk, data: Path, boot: str) -> None:
    """Write down that this boot began, and whether the one before was cut. OSError as above."""
    note = booted(read_boots(DataDir(data)), boot)
    disk.do(Write(Place.DATA, BOOTS_NAME, msgspec.json.encode(note) + b"\n"))


def note_stop(disk: Disk, data: Path) -> None:
    """An orderly stop: the next start is not one after a cut."""
    note = msgspec.structs.replace(read_boots(DataDir(data)), is_running=False)
    disk.do(Write(Place.DATA, BOOTS_NAME, msgspec.json.encode(note) + b"\n"))
