"""`DATA/run/doctor.json`: the node's newest examination, for the technician's screen and support bundles.

Written by `plaza doctor --tell`, every quarter of an hour; each sentence is there in every language that
the doctor speaks, so that a reader needs none of its catalogues. An old examination is not shown.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from municipio.clock import Instant
from sync.whole_file import replace_file

FILE_NAME = "doctor.json"
MAX_BYTES = 256 * 1024
FRESH_MS = 60 * 60 * 1000
"""Four examinations missed."""


class DoctorLine(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. `what` and `to_do` by language (`es_MX`, `en`); `to_do` empty when nothing is."""

    area: str
    state: str
    what: dict[str, str]
    to_do: dict[str, str]


class DoctorNote(msgspec.Struct, frozen=True, kw_only=True):
    """`told` is what the city was told last: state and areas, `attention disk,clock`."""

    boot: str
    boot_ms: int
    state: str
    lines: tuple[DoctorLine, ...]
    told: str = ""


def write_note(path: Path, note: DoctorNote) -> None:
    """Replace the file whole. OSError when it cannot be kept."""
    replace_file(path, msgspec.json.encode(note) + b"\n")


def read_note(path: Path) -> DoctorNote | None:
    """The last examination, of whatever age, or None when there is none that can be read."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MAX_BYTES), type=DoctorNote)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def fresh_note(path: Path, now: Instant) -> DoctorNote | None:
    note = read_note(path)
    if note is None or note.boot != now.boot:
        return None
    return note if 0 <= now.boot_ms - note.boot_ms <= FRESH_MS else None
