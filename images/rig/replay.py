"""Makes the disk that a power cut left: a part of the first disk, and what the log says was written.

Only one range of the disk is kept (the data partition). The cuts are asked for in the order of the log,
so that what is certain is written once and each cut costs its own few writes, and a sparse copy for a judge
who writes himself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rig.powercut import Cut, Piece, certain, last_flush, loose
from rig.prints import Prints
from rig.writelog import WriteLog

CHUNK = 1 << 20


class Replayer:
    """One log over one disk; `range_bytes` is (start, length) of what is kept of it."""

    def __init__(
        self, log: WriteLog, log_file: Path, disk: Path, range_bytes: tuple[int, int], work: Path
    ) -> None:
        self.log = log
        self.start, self.length = range_bytes
        self.base = work / "certain.part"
        self._log = log_file.open("rb")
        self._through = 0
        copy_sparse(disk, self.base, self.start, self.length)
        self.prints = Prints(self.base)

    def close(self) -> None:
        self._log.close()
        self.base.unlink(missing_ok=True)

    def leave(self, cut: Cut, out: Path) -> None:
        """Write to `out` what is on the disk after the cut. ValueError if an earlier cut is asked for."""
        self._settle(cut)
        copy_sparse(self.base, out, 0, self.length)
        self._write(out, loose(self.log, cut))

    @contextmanager
    def shown(self, cut: Cut) -> Iterator[Prints]:
        """What is on the disk after the cut, to be looked at only (`Prints.file`); then it is undone.

        ValueError if an earlier cut is asked for.
        """
        self._settle(cut)
        pieces = tuple(loose(self.log, cut))
        before = [(low, high, _read(self.base, low, high)) for low, high in map(self._span, pieces)]
        self._write(self.base, pieces)
        try:
            yield self.prints
        finally:
            with self.base.open("r+b") as file:
                for low, high, data in before:
                    clear(file, low, high)
                    for at, chunk in data:
                        file.seek(at)
                        file.write(chunk)
                    self.prints.wrote(low, high)

    def _settle(self, cut: Cut) -> None:
        """Bring `base` to what is certain at the cut."""
        sure = last_flush(self.log, cut.at)
        if sure < self._through:
            raise ValueError("cuts are asked for in the order of the log")
        self._write(self.base, certain(self.log, self._through, sure))
        self._through = sure

    def _span(self, piece: Piece) -> tuple[int, int]:
        """Where in the kept range a piece lies; nothing (start after end) where it lies outside."""
        low = max(piece.offset, self.start)
        high = min(piece.offset + piece.length, self.start + self.length)
        return low - self.start, high - self.start

    def _write(self, disk: Path, pieces: Iterable[Piece]) -> None:
        with disk.open("r+b") as file:
            for piece in pieces:
                low, high = self._span(piece)
                if disk == self.base:
                    self.prints.wrote(low, high)
                if piece.data_at < 0:
                    clear(file, low, high)
                    continue
                for at in range(low, high, CHUNK):
                    data = self._data(piece, at + self.start - piece.offset, min(CHUNK, high - at))
                    if any(data):
                        file.seek(at)
                        file.write(data)
                    else:
                        clear(file, at, at + len(data))

    def _data(self, piece: Piece, skip: int, size: int) -> bytes:
        self._log.seek(piece.data_at + skip)
        data = self._log.read(size)
        return data + bytes(size - len(data))  # a log may end in a hole


def _read(path: Path, start: int, stop: int) -> list[tuple[int, bytes]]:
    """What is there from `start` to `stop`, by its place; holes and zeros are left out."""
    found: list[tuple[int, bytes]] = []
    with path.open("rb") as file:
        while start < stop:
            try:
                start = os.lseek(file.fileno(), start, os.SEEK_DATA)
            except OSError:  # ENXIO: only a hole is left
                break
            if start >= stop:
                break
            data = os.pread(file.fileno(), min(CHUNK, stop - start), start)
            found += [(start, data)] if any(data) else []
            start += len(data)
    return found


def clear(file: BinaryIO, start: int, stop: int) -> None:
    """Zeros from `start` to `stop`; where the file has a hole it keeps it."""
    file.flush()
    while start < stop:
        try:
            start = os.lseek(file.fileno(), start, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            return
        end = min(os.lseek(file.fileno(), start, os.SEEK_HOLE), stop, start + CHUNK)
        if start < end:
            os.pwrite(file.fileno(), bytes(end - start), start)
        start = max(start, end)


def copy_sparse(source: Path, target: Path, start: int, length: int) -> None:
    """Copy a range of a file to a new file, leaving its holes as holes."""
    target.unlink(missing_ok=True)
    read, write = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(write, length)
        end, at = min(start + length, os.fstat(read).st_size), start
        while at < end:
            try:
                at = os.lseek(read, at, os.SEEK_DATA)
            except OSError:  # ENXIO: only a hole is left
                return
            stop = min(os.lseek(read, at, os.SEEK_HOLE), end)
            while at < stop:
                done = os.copy_file_range(read, write, stop - at, at, at - start)
                if not done:
                    return
                at += done
    finally:
        os.close(read)
        os.close(write)
