"""A stick that was put in: is it the city's, then answers in, facts out; how far it is, for every screen.

`DATA/run/stick.json` says it to kiosk and portal, the board's light to who stands before a box without
a screen. Only a stick with the city's marker is touched; any other one is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from municipio.clock import Clock
from municipio.stick_words import StickState, Trip
from municipio.wire import carrier as names
from sync.carrier import Exported, Imported, NodeSide, export_to, import_from
from sync.stick_files import read_plain
from sync.whole_file import replace_file

SHOWN_S = 60
"""How long the end of a transfer stays on the screens."""
WORKING_S = 300
"""How long one step may take in silence (new content) before the screens think that it died."""


class StickNote(msgspec.Struct, frozen=True, kw_only=True):
    """stick.json. `step` is facts, attachments, acknowledgements or content; `done` of `total`."""

    state: StickState
    step: str = ""
    done: int = 0
    total: int = 0
    facts_out: int = 0
    files_out: int = 0
    facts_confirmed: int = 0
    content: str = ""
    serial: str = ""
    written_boot_ms: int = 0
    boot: str = ""


def write_note(path: Path, note: StickNote) -> None:
    """Replace the file whole; every program of the node may read it."""
    replace_file(path, msgspec.json.encode(note) + b"\n")


def read_trip(path: Path, clock: Clock) -> Trip | None:
    """What a screen should show now: None when no stick was in during the last minute."""
    try:
        note = msgspec.json.decode(path.read_bytes(), type=StickNote)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    now = clock.now()
    age_ms = now.boot_ms - note.written_boot_ms
    shown_s = WORKING_S if note.state is StickState.WORKING else SHOWN_S
    if now.boot != note.boot or not 0 <= age_ms <= shown_s * 1000:
        return None
    return Trip(
        note.state,
        note.step,
        note.done,
        note.total,
        note.facts_out,
        note.files_out,
        note.facts_confirmed,
    )


def is_citys_stick(stick: Path, here: NodeSide) -> bool:
    """Does it carry the marker that the city signs?"""
    return isinstance(_marker(stick, here), names.Stick)


def _marker(stick: Path, here: NodeSide) -> names.Stick | names.NoteProblem:
    raw = read_plain(stick / names.ROOT / names.MARKER, names.MAX_NOTE_BYTES) or b""
    return names.decode_stick(raw, here.city, here.inegi)


def serve_stick(
    stick: Path, here: NodeSide, clock: Clock, tell: Callable[[StickNote], None]
) -> StickNote:
    """Import, then export; `tell` hears every step. The end that was told is returned."""

    def say(note: StickNote) -> StickNote:
        now = clock.now()
        stamped = msgspec.structs.replace(note, written_boot_ms=now.boot_ms, boot=now.boot)
        tell(stamped)
        return stamped

    marker = _marker(stick, here)
    if isinstance(marker, names.NoteProblem):
        return say(StickNote(state=StickState.REFUSED, step=marker.detail))

    def progress(step: str, done: int, total: int) -> None:
        now = StickNote(
            state=StickState.WORKING, step=step, done=done, total=total, serial=marker.serial
        )
        say(now)

    progress("acknowledgements", 0, 0)
    imported = import_from(stick, here, progress)
    exported = export_to(stick, here, progress)
    return say(_end(imported, exported, marker.serial))


def _end(imported: Imported, exported: Exported, serial: str) -> StickNote:
    state = StickState.DONE
    if exported.trouble:
        state = StickState.FULL if exported.is_full else StickState.FAILED
    return StickNote(
        state=state,
        step=exported.trouble,
        facts_out=exported.facts,
        files_out=exported.attachments,
        facts_confirmed=imported.facts,
        content=imported.content,
        serial=serial,
    )
