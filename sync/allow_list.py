"""The node's files about technicians: the city's signed list, and the count of failed tries."""

from __future__ import annotations

import json
from pathlib import Path

from municipio.technicians import FREE_TRIES, Guard, TechnicianList, guard_from_wire, guard_to_wire
from municipio.wire.keys import PublicKey
from municipio.wire.technician_list import (
    MAX_LIST_BYTES,
    ListProblem,
    ListTrouble,
    decode_list,
)
from sync.datadir import DataDir
from sync.whole_file import keep_file

LIST_NAME = "technicians.json"
GUARD_NAME = "technician-guard.json"
MAX_GUARD_BYTES = 4096


def list_file(data: DataDir) -> Path:
    return data.city_pub.with_name(LIST_NAME)


def guard_file(data: DataDir) -> Path:
    return data.path / GUARD_NAME


class AllowList:
    """The list at `file`, read again whenever the file changes. Checked with the city's key each time."""

    def __init__(self, file: Path, public: PublicKey, inegi: str) -> None:
        self._file = file
        self._public = public
        self._inegi = inegi
        self._seen: tuple[object, int] | None = None
        self._known: TechnicianList | ListProblem = ListProblem(ListTrouble.MISSING)

    def read(self, newest_serial: int) -> TechnicianList | ListProblem:
        """`newest_serial` is the newest that was ever believed here."""
        try:
            stat = self._file.stat()
            mark = ((stat.st_ino, stat.st_mtime_ns, stat.st_size), newest_serial)
            if mark != self._seen:
                self._known = self._decoded(newest_serial)
                self._seen = mark
        except FileNotFoundError:
            self._seen = None
            return ListProblem(ListTrouble.MISSING, f"there is no {self._file}")
        except OSError as e:
            self._seen = None
            return ListProblem(ListTrouble.NOT_READ, f"{self._file}: {e.strerror}")
        return self._known

    def _decoded(self, newest_serial: int) -> TechnicianList | ListProblem:
        with self._file.open("rb") as file:
            raw = file.read(MAX_LIST_BYTES + 1)
        return decode_list(raw, self._public, inegi=self._inegi, newest_serial=newest_serial)


def check_list(
    data: DataDir, raw: bytes, public: PublicKey, inegi: str
) -> TechnicianList | ListProblem:
    """A list for this node: the city's, and not older than what it ever went by or holds now."""
    newest = max(GuardFile(guard_file(data)).load().list_serial, 0)
    held = AllowList(list_file(data), public, inegi).read(newest)
    if isinstance(held, TechnicianList):
        newest = max(newest, held.serial)
    return decode_list(raw, public, inegi=inegi, newest_serial=newest)


def store_list(data: DataDir, raw: bytes) -> None:
    """Replace the node's list whole; on the disk before this returns. OSError when it cannot."""
    keep_file(list_file(data), raw)


class GuardFile:
    """The guard on disk, replaced whole and fsynced. A file that cannot be read counts against guessing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> Guard:
        """No file: no failures. A damaged one: the free tries are used up, the wait starts now."""
        try:
            with self._file.open("rb") as file:
                document = json.loads(file.read(MAX_GUARD_BYTES))
            return guard_from_wire(document)
        except FileNotFoundError:
            return Guard()
        except (OSError, ValueError, AttributeError, RecursionError):
            return Guard(failures=FREE_TRIES)

    def save(self, guard: Guard) -> bool:
        """False when the disk would not take it."""
        try:
            keep_file(self._file, json.dumps(guard_to_wire(guard)).encode())
        except OSError:
            return False
        return True
