"""Which keys a keypad may have and which kernel codes may stand for them. Nothing else ever passes.

No letter, no Ctrl, Alt, Esc or F1-F12 is in the table: a keyboard that got past every other check
could still do no more than walk the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Key(StrEnum):
    """What a press means to the kiosk."""

    UP = "up"
    """The control before."""
    DOWN = "down"
    """The control after."""
    SELECT = "select"
    """Press the control that was said last."""
    REPEAT = "repeat"
    """Say it again; while the voice is off, turn it on."""
    VOLUME = "volume"
    """Louder by a step; after the loudest, the softest."""
    N0 = "0"
    N1 = "1"
    N2 = "2"
    N3 = "3"
    N4 = "4"
    N5 = "5"
    N6 = "6"
    N7 = "7"
    N8 = "8"
    N9 = "9"
    ERASE = "erase"
    ENTER = "enter"


TACTILE = frozenset({Key.UP, Key.DOWN, Key.SELECT, Key.REPEAT, Key.VOLUME})
NUMERIC = frozenset(Key) - TACTILE

CODES: Mapping[str, int] = {
    **{f"KEY_{n}": 1 + n for n in range(1, 10)},
    "KEY_0": 11,
    "KEY_BACKSPACE": 14,
    "KEY_ENTER": 28,
    "KEY_SPACE": 57,
    "KEY_KP7": 71,
    "KEY_KP8": 72,
    "KEY_KP9": 73,
    "KEY_KPMINUS": 74,
    "KEY_KP4": 75,
    "KEY_KP5": 76,
    "KEY_KP6": 77,
    "KEY_KPPLUS": 78,
    "KEY_KP1": 79,
    "KEY_KP2": 80,
    "KEY_KP3": 81,
    "KEY_KP0": 82,
    "KEY_KPDOT": 83,
    "KEY_KPENTER": 96,
    "KEY_HOME": 102,
    "KEY_UP": 103,
    "KEY_PAGEUP": 104,
    "KEY_LEFT": 105,
    "KEY_RIGHT": 106,
    "KEY_END": 107,
    "KEY_DOWN": 108,
    "KEY_PAGEDOWN": 109,
    "KEY_INSERT": 110,
    "KEY_DELETE": 111,
    "KEY_MUTE": 113,
    "KEY_VOLUMEDOWN": 114,
    "KEY_VOLUMEUP": 115,
    "KEY_HELP": 138,
    **{f"KEY_F{n}": 170 + n for n in range(13, 25)},
    "KEY_SELECT": 353,
    **{f"KEY_NUMERIC_{n}": 512 + n for n in range(10)},
    "KEY_NUMERIC_STAR": 522,
    "KEY_NUMERIC_POUND": 523,
}
"""Numbers of linux/input-event-codes.h."""

KeyMap = Mapping[int, Key]


@dataclass(frozen=True, slots=True)
class KeyMapProblem:
    """`word` is the part of the setting that cannot be used."""

    word: str


def parse_key_map(text: str, allowed: frozenset[Key]) -> KeyMap | KeyMapProblem:
    """`up=KEY_UP down=KEY_DOWN ...`; every key of `allowed` once, no code twice."""
    found: dict[int, Key] = {}
    for word in text.split():
        name, _, code = word.partition("=")
        key = next((k for k in allowed if k.value == name), None)
        number = CODES.get(code)
        if key is None or number is None or number in found or key in found.values():
            return KeyMapProblem(word)
        found[number] = key
    missing = sorted(allowed - set(found.values()))
    return KeyMapProblem(f"{missing[0]}=") if missing else found
