"""link.json: how the talk with the city goes, written by the worker and read by every screen."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from municipio.clock import Clock
from municipio.usecases.ports import LinkReport, LinkState
from sync.whole_file import replace_file

STALE_HEARTBEATS = 3


TO_THE_HOUR = len("2026-01-31T12")


class LinkNote(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content: a LinkReport, when it was written, and why the queue stands if it does."""

    state: LinkState
    waiting: int
    last_carried: str
    since: str
    written_boot_ms: int
    boot: str
    city_time: str = ""
    """Newest time that the city has signed (RFC 3339 UTC): it is this late or later."""
    trouble: str = ""
    detail: str = ""
    every_s: float = 0.0
    """The pace of heartbeats when it was written, if the node's energy slows them."""
    requests: int | None = None
    """Waiting facts of the lanes in which people ask for something."""


def write_link(path: Path, note: LinkNote) -> None:
    """Replace the file whole; every program of the node may read it."""
    replace_file(path, msgspec.json.encode(note) + b"\n")


def read_link(path: Path) -> LinkNote | None:
    """The last note, or None when there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LinkNote)
    except (OSError, msgspec.MsgspecError, json.JSONDecodeError, UnicodeDecodeError):
        return None


class LinkFile:
    """The worker's note, which other programs read, and what of it must outlive a power cut.

    The note changes every few seconds and belongs in memory where a node has some for that. The city's
    newest times in it are proofs of time, so a copy goes to `kept`, on the card: when facts were carried
    (the card is written then anyway), and once an hour.
    """

    def __init__(self, path: Path, kept: Path | None = None) -> None:
        """`kept` None, or `path` itself: the note is on the card already."""
        self._path = path
        self._kept = None if kept == path else kept
        self._proofs: tuple[str, str] | None = None

    def begin(self) -> LinkNote | None:
        """The newest note, put back to where programs look for it."""
        note = read_link(self._path)
        if note is None and self._kept is not None:
            note = read_link(self._kept)
            if note is not None:
                write_link(self._path, note)
        return note

    def write(self, note: LinkNote) -> None:
        write_link(self._path, note)
        proofs = (note.last_carried, note.city_time[:TO_THE_HOUR])
        if self._kept is not None and any(proofs) and proofs != self._proofs:
            write_link(self._kept, note)
            self._proofs = proofs


class FileLink:
    """Implements `municipio.usecases.ports.Link`. A note older than three heartbeats is unknown.

    `heartbeat_s` is the setting; a node that saves energy says in the note that it is slower.
    """

    def __init__(self, path: Path, clock: Clock, heartbeat_s: float) -> None:
        self._path = path
        self._clock = clock
        self._stale_ms = int(STALE_HEARTBEATS * heartbeat_s * 1000)

    def report(self) -> LinkReport:
        note = read_link(self._path)
        if note is None:
            return LinkReport(LinkState.UNKNOWN, 0)
        now = self._clock.now()
        age_ms = now.boot_ms - note.written_boot_ms
        stale_ms = max(self._stale_ms, int(STALE_HEARTBEATS * note.every_s * 1000))
        if now.boot != note.boot or not 0 <= age_ms <= stale_ms:
            return LinkReport(
                LinkState.UNKNOWN, note.waiting, note.last_carried, requests=note.requests
            )
        return LinkReport(
            note.state, note.waiting, note.last_carried, note.since, requests=note.requests
        )
