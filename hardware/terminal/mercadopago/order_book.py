"""The file of what was asked of the service: written before the first byte leaves, read after a death.

One JSON line per event, each on the disk before the next step. A torn last line was never acted on.
It holds idempotency keys, amounts, references and order numbers: no card, no person, no credential.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path


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
    """Raises OrderBookDamaged from the constructor and from `put`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked: dict[str, Asked] = {}
        try:
            self._is_new = not path.exists()
            if not self._is_new:
                self._load(path.read_bytes())
            path.parent.mkdir(parents=True, exist_ok=True)
            self._rewrite()
        except OSError as problem:
            raise OrderBookDamaged(str(problem)) from None

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
            with self._path.open("ab") as file:
                file.write(_line(asked))
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
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

    def _load(self, raw: bytes) -> None:
        *lines, torn = raw.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                asked = Asked(**json.loads(line))
            except (ValueError, TypeError):
                raise OrderBookDamaged(f"line {number} of {self._path.name}") from None
            self._asked[asked.key] = asked
        if torn:
            self._rewrite()

    def _rewrite(self) -> None:
        """One line per key, swapped whole. No key is ever dropped: that would deny it."""
        fresh = self._path.with_name(f".{self._path.name}.new")
        with fresh.open("wb") as file:
            file.writelines(_line(a) for a in self._asked.values())
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o600)
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _line(asked: Asked) -> bytes:
    return json.dumps(asdict(asked), separators=(",", ":")).encode() + b"\n"
