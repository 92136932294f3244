"""The day's use on a memory file system: a portal that starts again goes on with the day that it found.

It belongs in the portal's own folder of /run (tmpfs, mode 0700): the power takes it, and so it does the
gate's key that made the pseudonyms in it. Nothing of it reaches the card. A journal of JSON lines after
a first one that names the boot; of another boot it says nothing. Lines that are over are written away.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

LEAST_LINES = 1000
"""A shorter journal is not worth writing anew for its length."""


class DayUse(msgspec.Struct, array_like=True):
    """What one device used in one day; the times are of the boot's clock. `day` None: not believed."""

    day: date | None
    began_ms: int
    seconds: int = 0
    bytes: int = 0
    rest_until_ms: int = 0


_LINE = msgspec.json.Decoder(tuple[str, DayUse])


class DayUseFile:
    """One file of one boot. What cannot be written is only in memory: nobody is kept out for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._boot = ""
        self._lines = 0

    def load(self, boot: str) -> dict[str, DayUse]:
        """The last word about each device in this boot, in the order in which they were met."""
        self._boot = boot
        try:
            head, *rest = self._path.read_bytes().splitlines()
            if msgspec.json.decode(head, type=str) != boot:
                return {}
        except (OSError, ValueError, msgspec.MsgspecError):
            return {}
        self._lines = len(rest)
        return dict(line for raw in rest if (line := _parse(raw)) is not None)

    def append(self, device: str, use: DayUse, known: int) -> bool:
        """Remember a change; False when it is time to write the whole file, of `known` devices, anew."""
        if not self._lines or self._lines > LEAST_LINES + 2 * known:
            return False
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND), "ab") as file:
                file.write(_spell(device, use))
        except OSError:
            return False
        self._lines += 1
        return True

    def rewrite(self, entries: Iterable[tuple[str, DayUse]]) -> None:
        """Only these are left; without any there is no file."""
        lines = [_spell(device, use) for device, use in entries]
        part = self._path.with_name(f".{self._path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._lines = 0
        try:
            if not lines:
                self._path.unlink(missing_ok=True)
                return
            with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
                file.write(msgspec.json.encode(self._boot) + b"\n" + b"".join(lines))
            part.replace(self._path)
        except OSError:
            return
        self._lines = len(lines)


def _spell(device: str, use: DayUse) -> bytes:
    return msgspec.json.encode((device, use)) + b"\n"


def _parse(raw: bytes) -> tuple[str, DayUse] | None:
    """A line cut short by a crash is no line."""
    try:
        return _LINE.decode(raw)
    except msgspec.MsgspecError:
        return None
