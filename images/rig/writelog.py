"""The log of every write to a disk, as QEMU's `blklogwrites` keeps it (the format of dm-log-writes).

One sector with the head (magic, version, number of entries, sector size), then for each entry one
sector (where, how many sectors, flags) and its data. Numbers are little-endian u64, the sector size a
u32. QEMU notes a request when it was completed, so the order here is the order of completion.

A log is bytes from outside: whatever it holds, reading it ends, in bounded memory, with a `WriteLog` or
a `LogFault`. Data stay in the file until they are asked for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

MAGIC = 0x6A736677736872
HEAD = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
MAX_ENTRIES = 2_000_000
SECTOR_SIZES = (512, 4096)


class LogTrouble(StrEnum):
    NOT_A_LOG = "not_a_log"
    OTHER_VERSION = "other_version"
    SECTOR_SIZE = "sector_size"
    TOO_MANY_ENTRIES = "too_many_entries"
    TRUNCATED = "truncated"
    BEYOND_THE_DISK = "beyond_the_disk"
    UNKNOWN_FLAGS = "unknown_flags"


@dataclass(frozen=True, slots=True)
class LogFault:
    """Why the bytes are no log; `entry` counts from 0 and is -1 for the head."""

    trouble: LogTrouble
    entry: int = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One completed request. `offset` and `length` are bytes of the disk; `data_at` of the log file."""

    offset: int
    length: int
    flags: int
    data_at: int

    @property
    def is_flush(self) -> bool:
        """Everything completed before it is on the disk for good."""
        return bool(self.flags & FLUSH)

    @property
    def is_durable(self) -> bool:
        """Forced through the disk's cache by itself."""
        return bool(self.flags & FUA)

    @property
    def is_discard(self) -> bool:
        return bool(self.flags & DISCARD)

    @property
    def is_write(self) -> bool:
        return self.length > 0 and not self.flags & (DISCARD | MARK)


@dataclass(frozen=True, slots=True)
class WriteLog:
    """`sector_size` is the smallest thing that the disk writes whole."""

    sector_size: int
    entries: tuple[Entry, ...]

    @property
    def writes(self) -> int:
        return sum(e.is_write for e in self.entries)

    @property
    def flushes(self) -> int:
        return sum(e.is_flush for e in self.entries)

    @property
    def written_bytes(self) -> int:
        return sum(e.length for e in self.entries if e.is_write)


def read_log(file: BinaryIO, disk_bytes: int) -> WriteLog | LogFault:
    """Every entry of the log of a disk of `disk_bytes`. Reads heads only, never the data."""
    size = file.seek(0, 2)
    head = read_head(file)
    if isinstance(head, LogFault):
        return head
    count, sector_size = head
    entries: list[Entry] = []
    at = sector_size
    for number in range(count):
        entry = _entry(file, at, sector_size, disk_bytes)
        if isinstance(entry, LogTrouble):
            return LogFault(entry, number)
        at = entry.data_at + (entry.length if entry.is_write else 0)
        if at > size:
            return LogFault(LogTrouble.TRUNCATED, number)
        entries.append(entry)
    return WriteLog(sector_size, tuple(entries))


def read_head(file: BinaryIO) -> tuple[int, int] | LogFault:
    """How many entries the log has by now, and its sector size; cheap enough to ask at any moment."""
    file.seek(0)
    raw = file.read(HEAD.size)
    if len(raw) < HEAD.size:
        return LogFault(LogTrouble.TRUNCATED)
    magic, version, count, sector_size = HEAD.unpack(raw)
    if magic != MAGIC:
        return LogFault(LogTrouble.NOT_A_LOG)
    if version != 1:
        return LogFault(LogTrouble.OTHER_VERSION)
    if sector_size not in SECTOR_SIZES:
        return LogFault(LogTrouble.SECTOR_SIZE)
    if count > MAX_ENTRIES:
        return LogFault(LogTrouble.TOO_MANY_ENTRIES)
    return count, sector_size


def _entry(file: BinaryIO, at: int, sector_size: int, disk_bytes: int) -> Entry | LogTrouble:
    file.seek(at)
    raw = file.read(ENTRY.size)
    if len(raw) < ENTRY.size:
        return LogTrouble.TRUNCATED
    sector, sectors, flags, _mark_bytes = ENTRY.unpack(raw)
    if flags & ~(FLUSH | FUA | DISCARD | MARK):
        return LogTrouble.UNKNOWN_FLAGS
    if (sector + sectors) * sector_size > disk_bytes:
        return LogTrouble.BEYOND_THE_DISK
    return Entry(sector * sector_size, sectors * sector_size, flags, at + sector_size)
