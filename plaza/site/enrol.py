"""Enrolling with the code that the site file gave: tried until the city answers, while the node serves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from municipio.acceptance import Sight
from municipio.wire.enrolment import EnrolmentProblem, parse_code
from sync.acceptance import SightBook
from sync.datadir import DataDir
from sync.enrolment import Enrolled, EnrolTrouble, NotEnrolled, enrol
from sync.site_state import enrol_file
from sync.stick_files import read_plain

MAX_WANTED = 4096


class Waiting(StrEnum):
    NOTHING = "nothing"
    """No code waits."""
    LATER = "later"
    """Nobody answered, or nobody who could prove to be the city: the same again later."""
    STOPPED = "stopped"
    """This node's own files stand against it: a person must look."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try came to; `detail` is one sentence of the city or of this node."""

    waiting: Waiting | None
    node: str = ""
    detail: str = ""


def try_enrolment(data: DataDir, timeout_s: float = 20) -> Tried:
    """One try. The code's file goes once the city's answer is on the disk. OSError when a disk refuses."""
    raw = read_plain(enrol_file(data), MAX_WANTED)
    if raw is None:
        return Tried(Waiting.NOTHING)
    try:
        wanted = json.loads(raw)
        code, url, ca = (str(wanted[name]) for name in ("code", "url", "ca"))
    except (ValueError, TypeError, KeyError, RecursionError):
        enrol_file(data).unlink(missing_ok=True)
        return Tried(Waiting.NOTHING, detail="the code's file could not be read")
    parsed = parse_code(code)
    if isinstance(parsed, EnrolmentProblem):
        enrol_file(data).unlink(missing_ok=True)
        return Tried(Waiting.NOTHING, detail=parsed.detail)
    done = enrol(data, url, parsed, ca, timeout_s)
    if isinstance(done, Enrolled):
        SightBook(data).note(Sight.CITY)
        enrol_file(data).unlink(missing_ok=True)
        return Tried(None, done.node)
    return Tried(_kind(done), detail=done.detail)


def _kind(done: NotEnrolled) -> Waiting:
    """A refusal is proved by nobody: a login page may have made it. So it is told, and tried again."""
    return Waiting.STOPPED if done.trouble is EnrolTrouble.OTHER_IDENTITY else Waiting.LATER
