"""A keypad that is not there: a test presses its keys, holds one down, or babbles.

It speaks the kernel's input events over a pseudo-terminal to the same reader that hears a real one.
Controls may be called from any thread.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from hardware.keypad.keys import Key, KeyMapProblem, parse_key_map
from hardware.keypad.protocol import PRESSED, RELEASED
from hardware.transport.event_end import EventEnd
from hardware.transport.event_stream import (
    EV_KEY,
    EV_MSC,
    EV_SYN,
    SYN_DROPPED,
    InputEvent,
    pack,
)

DEMO_ID = "0000:0005"
"""No maker has it (demostración)."""


class KeypadSimulator:
    """`keys` as in the setting `keypad.keys`; `names` is which of them it has."""

    def __init__(self, keys: str, names: frozenset[Key], device_id: str = DEMO_ID) -> None:
        known = parse_key_map(keys, names)
        if isinstance(known, KeyMapProblem):
            raise ValueError(f"«{known.word}» is not a key of a keypad")
        self._codes = {key: code for code, key in known.items()}
        self._far = EventEnd(device_id)
        self.pressed: list[Key] = []

    def open(self) -> str:
        return self._far.open()

    def link(self, path: Path) -> None:
        self._far.link(path)

    def close(self) -> None:
        self._far.close()

    def press(self, *keys: Key) -> None:
        """Each down and up again."""
        for key in keys:
            self.hold(key)
            self.release(key)

    def hold(self, key: Key) -> None:
        self.pressed.append(key)
        scan_code = InputEvent(EV_MSC, 4, 0x70000 + self._codes[key])
        self._far.send(scan_code, InputEvent(EV_KEY, self._codes[key], PRESSED))

    def release(self, key: Key) -> None:
        self._far.send(InputEvent(EV_KEY, self._codes[key], RELEASED))

    def repeat(self, key: Key, times: int) -> None:
        """What the kernel sends while a key is held."""
        for _ in range(times):
            self._far.send(InputEvent(EV_KEY, self._codes[key], 2))

    def press_code(self, code: int) -> None:
        """A key that no keypad has: what a keyboard in its place would send."""
        self._far.send(InputEvent(EV_KEY, code, PRESSED))
        self._far.send(InputEvent(EV_KEY, code, RELEASED))

    def drop(self) -> None:
        """The kernel had no room and says that events are missing."""
        self._far.send_raw(pack(InputEvent(EV_SYN, SYN_DROPPED, 0), time.time()))

    def babble(self, count: int = 1000, seed: int = 1) -> None:
        self._far.send_raw(random.Random(seed).randbytes(count))  # noqa: S311 - babble

    def shower(self, key: Key, times: int = 200) -> None:
        """A key whose contact chatters, or a machine that presses it."""
        for at in range(times):
            self._far.send(InputEvent(EV_KEY, self._codes[key], (at + 1) % 2))

    def become(self, device_id: str) -> None:
        """Another device is put in its place."""
        self._far.unplug()
        self._far.device_id = device_id
        self._far.replug()

    def silence(self) -> None:
        self._far.silent = True

    def speak(self) -> None:
        self._far.silent = False

    def unplug(self) -> None:
        self._far.unplug()

    def replug(self) -> None:
        self._far.replug()

    def state(self) -> dict[str, object]:
        return {
            "plugged": self._far.is_plugged,
            "silent": self._far.silent,
            "device_id": self._far.device_id,
            "pressed": len(self.pressed),
        }
