"""Constant databases in D. J. Bernstein's public CDB format (cr.yp.to/cdb/cdb.txt): writer and reader.

dnsdist and tinycdb read the same files. The format holds at most 4 GiB and no order of its own, so
that the same records in the same order always make the same bytes.
"""

from __future__ import annotations

import mmap
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

HEADER_BYTES = 2048
MAX_BYTES = 2**32 - 1
_PAIR = struct.Struct("<LL")


class CdbDamaged(Exception):
    """Bytes that are not a whole CDB."""


def cdb_hash(key: bytes) -> int:
    """The format's own hash: h = h * 33 xor byte, from 5381, in 32 bits."""
    h = 5381
    for byte in key:
        h = (h * 33 & 0xFFFFFFFF) ^ byte
    return h


class CdbWriter:
    """Writes records as they come; `finish` adds the hash tables. Eight bytes of memory per record."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = HEADER_BYTES
        self._hashes = [array("L" if array("L").itemsize == 4 else "I") for _ in range(256)]
        self._places = [array(a.typecode) for a in self._hashes]
        stream.write(bytes(HEADER_BYTES))

    def add(self, key: bytes, value: bytes) -> None:
        """Raises OverflowError beyond 4 GiB."""
        size = 8 + len(key) + len(value)
        if self._at + size > MAX_BYTES:
            raise OverflowError("a CDB holds at most 4 GiB")
        h = 5381  # `cdb_hash` in place: this runs once for each of millions of names
        for byte in key:
            h = (h * 33 & 0xFFFFFFFF) ^ byte
        bucket = h & 255
        self._hashes[bucket].append(h)
        self._places[bucket].append(self._at)
        self._stream.write(_PAIR.pack(len(key), len(value)) + key + value)
        self._at += size

    def finish(self) -> int:
        """Write the tables and the header; returns the file's size in bytes."""
        header = []
        for hashes, places in zip(self._hashes, self._places, strict=True):
            slots = 2 * len(hashes)
            if self._at + 8 * slots > MAX_BYTES:
                raise OverflowError("a CDB holds at most 4 GiB")
            header.append(_PAIR.pack(self._at, slots))
            self._stream.write(_table(hashes, places, slots))
            self._at += 8 * slots
        self._stream.seek(0)
        self._stream.write(b"".join(header))
        self._stream.seek(self._at)
        return self._at


def _table(hashes: array[int], places: array[int], slots: int) -> bytes:
    table = array(hashes.typecode, bytes(8 * slots))
    for h, place in zip(hashes, places, strict=True):
        at = (h >> 8) % slots
        while table[2 * at + 1]:
            at = (at + 1) % slots
        table[2 * at], table[2 * at + 1] = h, place
    if struct.pack("=L", 1) != struct.pack("<L", 1):
        table.byteswap()
    return table.tobytes()


class CdbReader:
    """A mapped file. Every offset is checked: a damaged file raises CdbDamaged, nothing else."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or CdbDamaged."""
        with path.open("rb") as stream:
            try:
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise CdbDamaged("empty file") from None
        self.size = len(self._map)
        if self.size < HEADER_BYTES:
            self.close()
            raise CdbDamaged("shorter than its header")
        tables = [_PAIR.unpack_from(self._map, 8 * i) for i in range(256)]
        self.records_end = min(at for at, _ in tables)
        self.end = max(at + 8 * slots for at, slots in tables)
        if self.records_end < HEADER_BYTES or self.end > self.size:
            self.close()
            raise CdbDamaged("cut short, or not a constant database")

    def close(self) -> None:
        self._map.close()

    def get(self, key: bytes) -> bytes | None:
        h = cdb_hash(key)
        table, slots = _PAIR.unpack_from(self._map, 8 * (h & 255))
        start = (h >> 8) % slots if slots else 0
        for step in range(slots):
            found, place = self._pair(table + 8 * ((start + step) % slots))
            if not place:
                return None
            if found == h:
                record_key, value = self._record(place)
                if record_key == key:
                    return value
        return None

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Every record, in the order of the file."""
        at = HEADER_BYTES
        while at < self.records_end:
            key, value = self._record(at)
            yield key, value
            at += 8 + len(key) + len(value)
        if at != self.records_end:
            raise CdbDamaged("records and tables overlap")

    def tail(self) -> bytes:
        """What follows the tables: readers of the format never look there."""
        return self._map[self.end :]

    def slots(self) -> int:
        """Records that the tables can point to."""
        counts: list[int] = [_PAIR.unpack_from(self._map, 8 * i)[1] for i in range(256)]
        return sum(counts) // 2

    def _pair(self, at: int) -> tuple[int, int]:
        if not HEADER_BYTES <= at <= self.size - 8:
            raise CdbDamaged("an offset outside the file")
        first, second = _PAIR.unpack_from(self._map, at)
        return first, second

    def _record(self, at: int) -> tuple[bytes, bytes]:
        key_size, value_size = self._pair(at)
        begin = at + 8
        middle, end = begin + key_size, begin + key_size + value_size
        if end > self.size:
            raise CdbDamaged("a record outside the file")
        return self._map[begin:middle], self._map[middle:end]
