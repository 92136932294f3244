"""Codes that carry the rest of a visit to another address: after a phone changed its own, or to a second
device of the same person.

What is kept: a hash of the code, the seconds and bytes left, the day's pseudonym of the device that
holds them, and when that was written. Never a hardware or an IP address.

Entropy. A code is four words of 1,000: 10^12 codes (39.9 bits). With at most 1,000 codes alive and the
100 wrong tries in ten minutes that the whole site may make together (5 a device), guessing without
pause for a day (14,400 tries) finds one with a chance of 1,000 * 14,400 / 10^12 = 1.4e-5, and what it
finds is the rest of two hours that one tap gives anybody. Somebody who steals the card could try all
codes against the hashes; scrypt makes each try cost milliseconds, and the prize is the same.

A journal of JSON lines on the card: each change is one line, on disk before anybody is told; a line
cut short by a power cut is no line. After a power cut a code is worth what was last written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from captive_portal.words import make_code, read_code, spell_code
from municipio.clock import Clock, Instant

LIFE_MS = 24 * 60 * 60 * 1000
MAX_CODES = 1000
"""The oldest gives way."""
MAX_MOVES = 6
"""One person changes device a few times a day; a code on a wall would move all the time."""
_SCRYPT_N = 2**12
_COMPACT_LINES = 4 * MAX_CODES


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a code is worth now. `bytes` is 0 when nothing limits them (`is_limited` False)."""

    key: str
    seconds: int
    bytes: int
    is_limited: bool
    device: str
    """The pseudonym that last held it; empty when that day's key is gone."""
    moves_left: int


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One state of one code. `seconds` 0 means that it is worth nothing any more."""

    hash: str
    seconds: int
    bytes: int
    limited: bool
    device: str
    moves: int
    given: tuple[str, int, int | None]
    """boot, boot ms and, when believed, the wall clock's second at which the code was made."""
    at: tuple[str, int]
    """boot and boot ms of this line."""


class _Head(msgspec.Struct, frozen=True):
    salt: str


class ResumeBook:
    """Codes given out by this node. With `path` None they live in memory (demonstrations, tests).

    Every method is safe for threads; those that write return after the fsync.
    """

    def __init__(
        self, path: Path | None, clock: Clock, make: Callable[[], tuple[str, ...]] = make_code
    ) -> None:
        self._path = path
        self._clock = clock
        self._make = make
        self._lock = threading.Lock()
        self._written = 0
        self._shown: dict[str, str] = {}
        """Codes in words, by their hash, so that a page loaded again shows the same; memory only."""
        self._lines: dict[str, _Line] = {}
        self._salt = secrets.token_bytes(16)
        self._load()

    def issue(self, device: str, seconds: int, size: int, *, is_limited: bool) -> str:
        """The code of a device's visit, as people write it; empty when the card does not take it."""
        with self._lock:
            at = self._clock.now()
            for held in self._held_by(device):
                if held.hash in self._shown:
                    return self._shown[held.hash]
                self._lines.pop(held.hash)
            code = spell_code(self._make())
            trusted = int(at.time.timestamp()) if at.is_trusted and at.time is not None else None
            line = _Line(
                self._hash(code), seconds, size, is_limited, device, 0,
                (at.boot, at.boot_ms, trusted), (at.boot, at.boot_ms),
            )  # fmt: skip
            if not self._write([line]):
                return ""
            self._shown[line.hash] = code
            self._forget(at)
            return code

    def look(self, typed: str) -> Remainder | None:
        """What a typed code is worth, None when it is no code of today or has nothing left."""
        words = read_code(typed)
        if words is None:
            return None
        key = self._hash(spell_code(words))
        with self._lock:
            now = self._clock.now()
            line = self._lines.get(key)
            if line is None or not _is_alive(line, now):
                return None
            seconds = line.seconds - _passed_s(line, now)
            spent = seconds <= 0 or (line.limited and line.bytes <= 0) or line.moves >= MAX_MOVES
            if spent:
                return None
            left = MAX_MOVES - line.moves
            return Remainder(key, seconds, line.bytes, line.limited, line.device, left)

    def move(self, key: str, device: str, seconds: int, size: int) -> bool:
        """The code is now held by `device` with so much left. False when the card does not take it."""
        with self._lock:
            line = self._lines.get(key)
            return line is not None and self._write(
                [self._now(line, seconds, size, device=device, moves=line.moves + 1)]
            )

    def checkpoint(self, left: Iterable[tuple[str, int, int]]) -> bool:
        """What visits that hold a code have left: (device, seconds, bytes); one write for all."""
        with self._lock:
            lines = [
                self._now(held, seconds, size)
                for device, seconds, size in left
                for held in self._held_by(device)
            ]
            return not lines or self._write(lines)

    def end(self, device: str) -> None:
        """The device's visit is over: its code is worth nothing any more."""
        with self._lock:
            lines = [self._now(held, 0, 0) for held in self._held_by(device)]
            if lines:
                self._write(lines)

    def holders(self) -> frozenset[str]:
        """Pseudonyms of the devices that hold a code."""
        with self._lock:
            return frozenset(line.device for line in self._lines.values() if line.device)

    def __len__(self) -> int:
        return len(self._lines)

    def _held_by(self, device: str) -> list[_Line]:
        return [line for line in self._lines.values() if device and line.device == device]

    def _now(
        self, line: _Line, seconds: int, size: int, *, device: str = "", moves: int = 0
    ) -> _Line:
        at = self._clock.now()
        return msgspec.structs.replace(
            line,
            seconds=max(0, seconds),
            bytes=max(0, size),
            device=device or line.device,
            moves=moves or line.moves,
            at=(at.boot, at.boot_ms),
        )

    def _hash(self, code: str) -> str:
        return hashlib.scrypt(code.encode(), salt=self._salt, n=_SCRYPT_N, r=8, p=1, dklen=16).hex()

    # --- the journal ----------------------------------------------------------------------

    def _write(self, lines: list[_Line]) -> bool:
        """Append and fsync, then believe it. Compacts when the file has grown long."""
        if self._path is not None and not self._append(lines):
            return False
        for line in lines:
            if line.seconds:
                self._lines[line.hash] = line
            else:
                self._lines.pop(line.hash, None)
                self._shown.pop(line.hash, None)
        return True

    def _append(self, lines: list[_Line]) -> bool:
        assert self._path is not None
        try:
            if self._written == 0 or self._written + len(lines) > _COMPACT_LINES:
                return self._rewrite({**self._lines, **{line.hash: line for line in lines}})
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND), "ab") as f:
                f.write(b"".join(map(_spell, lines)))
                f.flush()
                os.fsync(f.fileno())
        except OSError:
            return False
        self._written += len(lines)
        return True

    def _rewrite(self, lines: dict[str, _Line]) -> bool:
        assert self._path is not None
        part = self._path.with_suffix(".new")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(_spell(_Head(self._salt.hex())))
            f.writelines(_spell(line) for line in lines.values() if line.seconds)
            f.flush()
            os.fsync(f.fileno())
        part.replace(self._path)
        self._written = 1 + len(lines)
        return True

    def _load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError, IndexError):
            head, *rest = self._path.read_bytes().split(b"\n")
            self._salt = bytes.fromhex(msgspec.json.decode(head, type=_Head).salt)
            for raw in rest:
                with contextlib.suppress(msgspec.MsgspecError):
                    line = msgspec.json.decode(raw, type=_Line)
                    self._lines[line.hash] = line
        self._lines = {key: line for key, line in self._lines.items() if line.seconds}
        self._forget(self._clock.now())

    def _forget(self, at: Instant) -> None:
        alive = [line for line in self._lines.values() if _is_alive(line, at)]
        self._lines = {line.hash: line for line in alive[-MAX_CODES:]}
        self._shown = {key: code for key, code in self._shown.items() if key in self._lines}


def _spell(line: _Line | _Head) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def _passed_s(line: _Line, now: Instant) -> int:
    """A visit's time runs on while the node does; what a power cut took is given back."""
    return max(0, now.boot_ms - line.at[1]) // 1000 if line.at[0] == now.boot else 0


def _is_alive(line: _Line, now: Instant) -> bool:
    """Within a day of being made, by the boot's clock or by two believed times; else since the boot."""
    boot, boot_ms, trusted_s = line.given
    if boot == now.boot:
        return now.boot_ms - boot_ms < LIFE_MS
    if trusted_s is not None and now.is_trusted and now.time is not None:
        return 0 <= int(now.time.timestamp()) - trusted_s < LIFE_MS // 1000
    return now.boot_ms < LIFE_MS
