"""Four words that add a photo to a report from the telephone's real browser, within a day.

The file holds no word: only a salted scrypt hash of each code, its folio, and when it was given out.
Somebody who steals the card finds folios that wait for a photo, and cannot give them one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from captive_portal.words import make_code, read_code, spell_code
from municipio.clock import Clock, Instant

LIFE_MS = 24 * 60 * 60 * 1000
MAX_OPEN = 500
"""The oldest gives way: a node off line for weeks keeps a small file."""
_SCRYPT_N = 2**12


class CodeState(StrEnum):
    OPEN = "open"
    UNKNOWN = "unknown"
    """Never given out here, or too long ago."""
    USED = "used"
    """Its photo is on the way, or being received at this moment."""


@dataclass(frozen=True, slots=True)
class Claim:
    state: CodeState
    folio: str = ""
    key: str = ""
    """What `finish` and `release` want back."""


class _Given(msgspec.Struct, frozen=True):
    hash: str
    folio: str
    boot: str
    boot_ms: int
    trusted_s: int | None = None
    used: bool = False


class _File(msgspec.Struct):
    salt: str
    given: list[_Given]


class PhotoCodes:
    """Codes given out by this node. With an empty `path` they live in memory (demonstrations, tests)."""

    def __init__(
        self, path: Path | None, clock: Clock, make: Callable[[], tuple[str, ...]] = make_code
    ) -> None:
        self._path = path
        self._clock = clock
        self._make = make
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        known = self._load()
        self._salt = bytes.fromhex(known.salt)
        self._given = {given.hash: given for given in known.given}

    def issue(self, folio: str) -> str:
        """A new code for a folio, as people write it; empty when the card does not take it."""
        code = spell_code(self._make())
        at = self._clock.now()
        trusted = int(at.time.timestamp()) if at.is_trusted and at.time is not None else None
        given = _Given(self._hash(code), folio, at.boot, at.boot_ms, trusted)
        with self._lock:
            before = dict(self._given)
            self._given[given.hash] = given
            self._forget(at)
            if self._save():
                return code
            self._given = before
            return ""

    def claim(self, typed: str) -> Claim:
        """Who has an OPEN one must call `finish` or `release`."""
        words = read_code(typed)
        if words is None:
            return Claim(CodeState.UNKNOWN)
        key = self._hash(spell_code(words))
        with self._lock:
            self._forget(self._clock.now())
            given = self._given.get(key)
            if given is None:
                return Claim(CodeState.UNKNOWN)
            if given.used or key in self._taken:
                return Claim(CodeState.USED, given.folio)
            self._taken.add(key)
            return Claim(CodeState.OPEN, given.folio, key)

    def release(self, claim: Claim) -> None:
        """The photo did not come to be: the code may be used again."""
        with self._lock:
            self._taken.discard(claim.key)

    def finish(self, claim: Claim) -> None:
        """The photo is recorded. A power cut before this line lets one more photo in, never one less."""
        with self._lock:
            self._taken.discard(claim.key)
            given = self._given.get(claim.key)
            if given is not None:
                self._given[claim.key] = msgspec.structs.replace(given, used=True)
                self._save()

    def belongs(self, typed: str, folio: str) -> bool:
        """Is this the open code of that folio? For showing it again; guessing by folio is no use."""
        words = read_code(typed)
        if words is None:
            return False
        given = self._given.get(self._hash(spell_code(words)))
        return given is not None and given.folio == folio and not given.used

    def _hash(self, code: str) -> str:
        return hashlib.scrypt(code.encode(), salt=self._salt, n=_SCRYPT_N, r=8, p=1, dklen=16).hex()

    def _forget(self, at: Instant) -> None:
        alive = [given for given in self._given.values() if _is_alive(given, at)]
        self._given = {given.hash: given for given in alive[-MAX_OPEN:]}

    def _load(self) -> _File:
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            if self._path is not None:
                known = msgspec.json.decode(self._path.read_bytes(), type=_File)
                bytes.fromhex(known.salt)
                return known
        return _File(secrets.token_hex(16), [])

    def _save(self) -> bool:
        if self._path is None:
            return True
        part = self._path.with_suffix(".new")
        document = _File(self._salt.hex(), list(self._given.values()))
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
                f.write(msgspec.json.encode(document))
                f.flush()
                os.fsync(f.fileno())
            part.replace(self._path)
        except OSError:
            return False
        return True


def _is_alive(given: _Given, at: Instant) -> bool:
    """Within a day, by the boot's own clock or by two times that can be believed; else since the boot."""
    if given.boot == at.boot:
        return at.boot_ms - given.boot_ms < LIFE_MS
    if given.trusted_s is not None and at.is_trusted and at.time is not None:
        return 0 <= int(at.time.timestamp()) - given.trusted_s < LIFE_MS // 1000
    return at.boot_ms < LIFE_MS
