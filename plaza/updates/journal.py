"""`DATA/updates/journal.json`: the update under way, on the disk before anything is done about it.

Fetching and installing are two programs, so each step is made under a lock over what the other left.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from plaza.updates.state import Event, Journal, State, after
from sync.sharing import make_folder, open_shared
from sync.stick_files import read_plain
from sync.whole_file import fsync, keep_file

FOLDER = "updates"
"""Under the node's data."""
MAX_BYTES = 64 * 1024
NEW_SLOT = {"rootfs.0": "B", "rootfs.1": "A"}
"""By the slot to come back to: the start loader's name of the one that is tried."""
_TRIED = (State.INSTALLING, State.INSTALLED, State.TRIAL)


class JournalStore(Protocol):
    def read(self) -> Journal:
        """What is remembered; a fresh one when there is nothing that can be read."""

    def move(self, event: Event, **changes: Any) -> Journal:
        """Make a step and return once it is on the disk. RuleBroken for one that is not in the table."""

    def note(self, **changes: Any) -> Journal:
        """Change what is remembered within a state."""


class FileJournal:
    """In a folder that the node's programs share. OSError comes out when the disk takes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "journal.json"

    def prepare(self) -> None:
        """Make the folder, for what lies beside the journal."""
        make_folder(self.folder)

    def read(self) -> Journal:
        raw = read_plain(self._file, MAX_BYTES)
        try:
            return Journal() if raw is None else msgspec.json.decode(raw, type=Journal)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = what_is_left(raw or b"")
        if found is None:
            self._set_aside()
        return found or Journal()

    def move(self, event: Event, **changes: Any) -> Journal:
        with self._alone():
            old = self.read()
            return self._write(old, state=after(old.state, event), **changes)

    def note(self, **changes: Any) -> Journal:
        with self._alone():
            return self._write(self.read(), **changes)

    def _write(self, old: Journal, **changes: Any) -> Journal:
        new: Journal = msgspec.structs.replace(old, **changes)
        keep_file(self._file, msgspec.json.encode(new) + b"\n")
        self._mark_trial(new)
        fsync(self.folder)
        return new

    def _mark_trial(self, journal: Journal) -> None:
        """For who must act where no program of ours can: plaza-trial-failed@SLOT.service looks for it."""
        tried = NEW_SLOT.get(journal.old_slot) if journal.state in _TRIED else None
        for slot in NEW_SLOT.values():
            mark = self.folder / f"trial-{slot}"
            if slot != tried:
                mark.unlink(missing_ok=True)
            elif not mark.exists():  # another user's file cannot be touched again
                mark.touch()

    def _set_aside(self) -> None:
        """A damaged journal is kept for who looks into it; the slots themselves say what runs."""
        with contextlib.suppress(OSError):
            self._file.replace(self._file.with_suffix(".damaged"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_folder(self.folder)
        handle = open_shared(self.folder / "lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def what_is_left(raw: bytes) -> Journal | None:
    """Of a journal in a newer version's words: what not to try again. None for what is no journal.

    Whoever reads it runs because the newer version does not, or it would read its own words.
    """
    try:
        document = msgspec.json.decode(raw, type=_Kernel)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    returned = dict(document.returned)
    if document.version:
        returned[document.version] = returned.get(document.version, 0) + 1
    return Journal(returned=returned)


class _Kernel(msgspec.Struct):
    state: str
    version: str = ""
    returned: dict[str, int] = {}


class MemoryJournal:
    """For the simulated node: what is written is kept, unless `cut` cuts the power before it is."""

    def __init__(self, cut: Any = lambda _: None) -> None:
        self.kept = Journal()
        self.cut = cut

    def read(self) -> Journal:
        return self.kept

    def move(self, event: Event, **changes: Any) -> Journal:
        state = after(self.kept.state, event)
        self.cut(f"journal {event.value}")
        return self.note(state=state, **changes)

    def note(self, **changes: Any) -> Journal:
        self.kept = msgspec.structs.replace(self.kept, **changes)
        return self.kept
