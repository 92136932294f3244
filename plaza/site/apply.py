"""`plaza site apply`: look, plan, do. May be cut anywhere and run again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from municipio.site_file.state import SiteState, decode_state
from plaza.site.planner import plan_steps
from plaza.site.steps import Blank, MakeKey, Place, Remove, Seen, Step, Write
from sync.datadir import DataDir
from sync.site_state import BOOTS_NAME, STATE_NAME, booted, read_boots


class Disk(Protocol):
    def look(self) -> Seen: ...

    def do(self, step: Step) -> bool: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What the file came to, how many steps changed something, and what the boot partition refused."""

    state: SiteState
    changed: int
    refused: tuple[str, ...] = ()


def apply_site(disk: Disk) -> Applied:
    """Do every step. OSError when the data's disk refuses; running it again goes on.

    A boot partition that is broken or write-protected stops nothing: the node serves all the same.
    """
    steps = plan_steps(disk.look())
    changed, refused = 0, []
    for step in steps:
        try:
            changed += disk.do(step)
        except OSError as e:
            if not _is_on_boot(step):
                raise
            refused.append(f"{e.filename or 'boot'}: {e.strerror or e}")
    told = next(s for s in steps if isinstance(s, Write) and s.name == STATE_NAME)
    state = decode_state(told.content)
    assert state is not None, "our own words"
    return Applied(state, changed, tuple(refused))


def _is_on_boot(step: Step) -> bool:
    match step:
        case Blank():
            return True
        case Write(place=place) | Remove(place=place):
            return place is Place.BOOT
        case MakeKey():
            return False


def note_boot(disk: Disk, data: Path, boot: str) -> None:
    """Write down that this boot began, and whether the one before was cut. OSError as above."""
    note = booted(read_boots(DataDir(data)), boot)
    disk.do(Write(Place.DATA, BOOTS_NAME, msgspec.json.encode(note) + b"\n"))


def note_stop(disk: Disk, data: Path) -> None:
    """An orderly stop: the next start is not one after a cut."""
    note = msgspec.structs.replace(read_boots(DataDir(data)), is_running=False)
    disk.do(Write(Place.DATA, BOOTS_NAME, msgspec.json.encode(note) + b"\n"))
