"""The file of what was asked of the service: written before the first byte leaves, read after a death.

One JSON line per event, each on the disk before the next step. A torn last line was never acted on.
It holds idempotency keys, amounts, references and order numbers: no card, no person, no credential.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Asked:
    """One charge that may have been sent. `order` is the service's number, empty while unknown.

    `asked_at` is Unix seconds by this node's clock; `void`: proven to have never left. `doubt`: a
    key from before this file existed, about which it proves nothing.
    """

    key: str
    amount_centavos: int = 0
    body: str = ""
    asked_at: int = 0
    order: str = ""
    void: bool = False
    doubt: bool = False


class OrderBookDamaged(Exception):
    """The file cannot be read or written."""


class OrderBook:
    """Held by one program at a time. Raises OrderBookDamaged from the constructor and from `put`."""

    def __init__(self, path: Path) -> None:
        self._asked: dict[str, Asked] = {}
        self._name = path.name
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._is_new = not path.exists()
            self._file = path.open("a+b")
            path.chmod(0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._load(self._file)
            _keep_name(path.parent)
        except OSError as problem:
            self.close()
            raise OrderBookDamaged(str(problem)) from None
        except OrderBookDamaged:
            self.close()
            raise

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def get(self, key: str) -> Asked | None:
        """None proves that `key` never left this node, since the file is older than the question."""
        found = self._asked.get(key)
        if found is None and self._is_new:
            return Asked(key, doubt=True)
        return found

    def holds(self, key: str) -> bool:
        return key in self._asked

    def put(self, asked: Asked) -> None:
        """On the disk when it returns."""
        try:
            if self._file is None:
                raise OrderBookDamaged("it is closed")
            self._file.write(_line(asked))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as problem:
            self.close()  # what half went out may stay half: nothing is added behind it
            raise OrderBookDamaged(str(problem)) from None
        self._asked[asked.key] = asked

    def doubt(self, key: str) -> None:
        """Remember that this file cannot speak for `key`, in later lives too."""
        if key not in self._asked:
            self.put(Asked(key, doubt=True))

    def mark(self, key: str, *, order: str = "", void: bool = False) -> None:
        known = self._asked[key]
        changed = replace(known, order=order or known.order, void=void or known.void)
        if changed != known:
            self.put(changed)

    def _load(self, file: BinaryIO) -> None:
        file.seek(0)
        raw = file.read()
        *lines, torn = raw.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                asked = Asked(**json.loads(line))
            except (ValueError, TypeError):
                raise OrderBookDamaged(f"line {number} of {self._name}") from None
            self._asked[asked.key] = asked
        if torn:
            file.truncate(len(raw) - len(torn))


def _keep_name(folder: Path) -> None:
    """A new file's name is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(asked: Asked) -> bytes:
    return json.dumps(asdict(asked), separators=(",", ":")).encode() + b"\n"
