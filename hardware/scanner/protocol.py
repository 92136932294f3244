"""Bytes of a code reader in, scanned texts out. Sans-IO.

A reader ends each code with CR, LF or both, or wraps it in STX and ETX. Whatever it reads was
printed by a stranger: length is bounded and a text with any character that is not printable is refused.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

STX, ETX, LF, CR = 0x02, 0x03, 0x0A, 0x0D
ENDS = frozenset({ETX, LF, CR})

TEXT_MAX = 512
"""Bytes of one code; the longest that the node prints is under 300."""
CUT_S = 0.5
"""A reader sends a code in one go: a piece this old is not going to be finished."""
REPEAT_S = 1.5
"""A code held before a reader in continuous mode is read many times; it is one scan."""
NOISE_COUNT = 5
NOISE_S = 60.0
READINGS_MAX = 64
"""Readings kept from one feed; a flood of codes is not a person."""

QUESTION, ALIVE = b"?", ord("!")
"""The greeting of readers that have one: they answer `!` to `?`."""

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""Symbology identifier of ISO/IEC 15424 that a reader may put in front."""


class ScanTrouble(StrEnum):
    TOO_LONG = "too_long"
    CONTROL = "control"
    """A character that cannot be printed, or bytes that are no text."""
    CUT = "cut"
    """The code did not end."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A code as text, at most `TEXT_MAX` characters, all printable. It may be personal data."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    trouble: ScanTrouble


@dataclass(frozen=True, slots=True)
class Alive:
    """The reader answered the greeting."""


Reading = Scan | Unreadable | Alive


class ScanReader:
    """Feed it what comes, in any pieces. `greets` when the reader answers `?`."""

    def __init__(self, *, greets: bool = False) -> None:
        self._greets = greets
        self._text = bytearray()
        self._too_long = False
        self._at = 0.0
        self._last: tuple[str, float] | None = None
        self._troubles: deque[float] = deque(maxlen=NOISE_COUNT)

    def feed(self, data: bytes, now: float) -> list[Reading]:
        readings = self.tick(now)
        self._at = now
        for byte in data:
            reading = self._take(byte, now)
            if reading is not None and len(readings) < READINGS_MAX:
                readings.append(reading)
        return readings

    def tick(self, now: float) -> list[Reading]:
        """Give up a code that stopped in the middle."""
        if (self._text or self._too_long) and now - self._at > CUT_S:
            return [self._trouble(ScanTrouble.CUT, now)]
        return []

    def is_noisy(self, now: float) -> bool:
        """Only rubbish lately: wrong speed, a broken cable, or a reader in another mode."""
        full = len(self._troubles) == NOISE_COUNT
        return full and now - self._troubles[0] < NOISE_S

    def forget(self) -> None:
        """Nothing of the person who scanned stays."""
        self._text.clear()
        self._too_long = False
        self._last = None

    def _take(self, byte: int, now: float) -> Reading | None:
        if byte in ENDS:
            return self._end(now)
        if byte == STX:
            cut = bool(self._text) or self._too_long
            return self._trouble(ScanTrouble.CUT, now) if cut else None
        if self._greets and byte == ALIVE and not self._text and not self._too_long:
            return Alive()
        if len(self._text) >= TEXT_MAX:
            self._too_long = True
            self._text.clear()
        if not self._too_long:
            self._text.append(byte)
        return None

    def _end(self, now: float) -> Reading | None:
        if self._too_long:
            return self._trouble(ScanTrouble.TOO_LONG, now)
        raw = bytes(self._text)
        if not raw:
            return None
        text = _AIM.sub("", decode(raw), count=1) if raw[:1] == b"]" else decode(raw)
        text = text.strip(" ")
        if not text.isprintable():
            return self._trouble(ScanTrouble.CONTROL, now)
        self._text.clear()
        self._troubles.clear()
        repeated = self._last is not None and text == self._last[0]
        soon = self._last is not None and now - self._last[1] < REPEAT_S
        self._last = (text, now)
        return Scan(text) if text and not (repeated and soon) else None

    def _trouble(self, trouble: ScanTrouble, now: float) -> Unreadable:
        self._text.clear()
        self._too_long = False
        self._troubles.append(now)
        return Unreadable(trouble)


def decode(raw: bytes) -> str:
    """UTF-8, or Latin-1 from readers that know nothing newer."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
