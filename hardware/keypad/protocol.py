"""Input events in, presses of allowed keys out. Sans-IO.

A press counts when the key goes down. Bouncing contacts, auto-repeat and keys that are not in the map
are ignored; a key that stays down and a shower of presses are told as trouble. How far apart two presses
were is the kernel's word: a busy node may read both at once, and must not take a doubled digit for a bounce.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from hardware.keypad.keys import Key, KeyMap
from hardware.transport.event_stream import (
    EV_KEY,
    EV_SYN,
    SYN_DROPPED,
    SYN_REPORT,
    EventReader,
    InputEvent,
)

BOUNCE_S = 0.03
STUCK_S = 15.0
SHOWER_COUNT, SHOWER_S = 25, 1.0
"""More presses in a second than two hands can make."""
CALM_S = 2.0
RELEASED, PRESSED = 0, 1


class KeyTrouble(StrEnum):
    STUCK_KEY = "stuck_key"
    NOISE = "noise"


class KeyReader:
    """Feed it what comes, in any pieces. `reset` when the cable was out."""

    def __init__(self, keys: KeyMap) -> None:
        self._keys = keys
        self._events = EventReader()
        self._down: dict[Key, float] = {}
        self._up_at: dict[Key, float] = {}
        self._recent: deque[float] = deque(maxlen=SHOWER_COUNT)
        self._noisy_until = 0.0
        self._lost = False

    def feed(self, data: bytes, now: float) -> list[Key]:
        skipped = self._events.skipped
        presses = [k for e in self._events.feed(data) if (k := self._take(e, now)) is not None]
        if self._events.skipped != skipped:
            self._down.clear()
        return presses

    def trouble(self, now: float) -> KeyTrouble | None:
        if now < self._noisy_until:
            return KeyTrouble.NOISE
        stuck = any(now - since > STUCK_S for since in self._down.values())
        return KeyTrouble.STUCK_KEY if stuck else None

    def reset(self) -> None:
        self._events.reset()
        self._down.clear()
        self._lost = False

    def _take(self, event: InputEvent, now: float) -> Key | None:
        if event.type == EV_SYN:
            self._sync(event.code)
        if event.type != EV_KEY or self._lost:
            return None
        key = self._keys.get(event.code)
        if key is None:
            return None
        if event.value == RELEASED:
            self._down.pop(key, None)
            self._up_at[key] = event.at_s
        elif event.value == PRESSED and key not in self._down:
            self._down[key] = now
            return key if self._counts(key, event.at_s, now) else None
        return None

    def _sync(self, code: int) -> None:
        """After the kernel dropped events, nothing is known until the next whole report."""
        if code == SYN_DROPPED:
            self._lost = True
            self._down.clear()
        elif code == SYN_REPORT:
            self._lost = False

    def _counts(self, key: Key, at_s: float, now: float) -> bool:
        if 0 <= at_s - self._up_at.get(key, -BOUNCE_S) < BOUNCE_S:  # a clock set back is no bounce
            return False
        self._recent.append(at_s)
        shower = len(self._recent) == SHOWER_COUNT and 0 <= at_s - self._recent[0] < SHOWER_S
        if shower:
            self._noisy_until = now + CALM_S
        return now >= self._noisy_until
