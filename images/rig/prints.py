"""Fingerprints of parts of a large file that changes little by little: what nobody wrote to is read once."""

from __future__ import annotations

import hashlib
from pathlib import Path

CHUNK = 1 << 20


class Prints:
    """Of one file. Whoever changes it says where."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[int, dict[int, bytes]] = {}

    def wrote(self, start: int, stop: int) -> None:
        """Bytes `start` to `stop` may be others now."""
        for number in range(start // CHUNK, -(-stop // CHUNK)):
            self._known.pop(number, None)

    def of(self, start: int, length: int) -> str:
        """The same for the same bytes, wherever they are. ValueError unless `start` is whole MiB."""
        if start % CHUNK:
            raise ValueError(f"{start} is not at the start of a chunk")
        whole = hashlib.sha256()
        with self.file.open("rb") as file:
            for at in range(start, start + length, CHUNK):
                size = min(CHUNK, start + length - at)
                known = self._known.setdefault(at // CHUNK, {})
                if size not in known:
                    file.seek(at)
                    known[size] = hashlib.sha256(file.read(size)).digest()
                whole.update(known[size])
        return whole.hexdigest()
