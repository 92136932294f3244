"""VE.Direct text blocks: bytes in, whole blocks out. Sans-IO.

Wire (Victron, "VE.Direct Protocol"): 19 200 8N1, a block about every second, each field
`\\r\\nLABEL\\tVALUE`, the last one `Checksum` with one raw byte that makes the sum of all bytes of the
block 0 modulo 256. A hex frame (`:` to `\\n`) may stand between any two bytes of a block and is not
part of its sum; the checksum byte itself may well be a `:`.

The rule of this file: a block is told whole and right, or not at all. The first block is told only
when its beginning was seen, because the tail of one has a right sum once in 256 times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

LABEL_MAX = 9
VALUE_MAX = 33
FIELDS_MAX = 40
HEX_MAX = 128
FIRST_LABEL = "PID"
"""Every product opens its round of blocks with its product id."""

_TAB, _LF, _CR, _COLON = 0x09, 0x0A, 0x0D, 0x3A


@dataclass(frozen=True, slots=True)
class Block:
    """A whole block with a right sum; labels as on the wire, `Checksum` left out."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HexFrame:
    """What a hex frame carried between `:` and the line end, as it came."""

    digits: str


class Damage(Enum):
    BAD_SUM = auto()
    BAD_FIELD = auto()
    """A byte, length, count or repetition that no product sends."""
    TAIL = auto()
    """The first thing heard, with its beginning missed: no fault of the cable."""


@dataclass(frozen=True, slots=True)
class Damaged:
    why: Damage


Event = Block | HexFrame | Damaged


class _In(Enum):
    NOTHING = auto()
    """Between blocks, or lost: only a line end means something."""
    LABEL = auto()
    VALUE = auto()
    CHECKSUM = auto()
    HEX = auto()


class Parser:
    """One cable's bytes, in pieces of any size. Never raises; never holds more than one block."""

    def __init__(self) -> None:
        self._steps = {
            _In.NOTHING: self._in_nothing,
            _In.LABEL: self._in_label,
            _In.VALUE: self._in_value,
            _In.HEX: self._in_hex,
        }
        self._state = self._before_hex = _In.NOTHING
        self._fields: dict[str, str] = {}
        self._label = bytearray()
        self._value = bytearray()
        self._hex = bytearray()
        self._sum = 0
        self._begun_right = False
        self._spoiled: Damage | None = None

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        for byte in data:
            event = self._one(byte)
            if event is not None:
                events.append(event)
        return events

    def _one(self, byte: int) -> Event | None:
        if self._state is _In.CHECKSUM:
            return self._end_of_block(byte)
        if byte == _COLON and self._state is not _In.HEX:
            self._before_hex, self._state = self._state, _In.HEX
            self._hex.clear()
            return None
        if self._state is not _In.HEX:
            self._sum = (self._sum + byte) & 0xFF
        return self._steps[self._state](byte)

    def _in_nothing(self, byte: int) -> None:
        if byte == _CR:
            self._sum = _CR  # a block begins here: what stood between blocks is no part of it
        elif byte == _LF:
            self._label.clear()
            self._state = _In.LABEL

    def _in_label(self, byte: int) -> None:
        if byte == _TAB:
            self._value.clear()
            done = bytes(self._label) == b"Checksum"
            self._state = _In.CHECKSUM if done else _In.VALUE
            self._begun_right |= bytes(self._label) == FIRST_LABEL.encode() and not self._fields
        elif 0x21 <= byte <= 0x7E and len(self._label) < LABEL_MAX:
            self._label.append(byte)
        else:
            self._spoil(byte)

    def _in_value(self, byte: int) -> None:
        if byte == _LF:
            self._keep_field()
        elif byte == _CR:
            return
        elif 0x20 <= byte <= 0x7E and len(self._value) < VALUE_MAX:
            self._value.append(byte)
        else:
            self._spoil(byte)

    def _in_hex(self, byte: int) -> HexFrame | None:
        if byte == _LF:
            self._state = self._before_hex
            return HexFrame(self._hex.decode("ascii", "replace"))
        if len(self._hex) < HEX_MAX and 0x20 <= byte <= 0x7E:
            self._hex.append(byte)
        elif byte != _CR:
            self._state = self._before_hex
            self._spoil(byte)
        return None

    def _keep_field(self) -> None:
        label = self._label.decode("ascii")
        if not label or label in self._fields or len(self._fields) >= FIELDS_MAX:
            self._spoil(_LF)
            return
        self._fields[label] = self._value.decode("ascii")
        self._label.clear()
        self._state = _In.LABEL

    def _spoil(self, byte: int) -> None:
        """This block is lost; go on to its end, or to what may be one."""
        self._spoiled = self._spoiled or Damage.BAD_FIELD
        self._fields.clear()
        self._state = _In.NOTHING
        self._in_nothing(byte)

    def _end_of_block(self, byte: int) -> Block | Damaged:
        right = (self._sum + byte) & 0xFF == 0
        fields, spoiled, begun_right = dict(self._fields), self._spoiled, self._begun_right
        self._fields.clear()
        self._label.clear()
        # A lost checksum byte lets the next block's first CR stand in for it: give it back.
        self._sum = _CR if byte == _CR and not right else 0
        self._spoiled, self._state = None, _In.NOTHING
        self._begun_right = True  # what follows a checksum byte is the beginning of a block
        if not begun_right:
            return Damaged(Damage.TAIL)
        if spoiled is not None:
            return Damaged(spoiled)
        return Block(fields) if right else Damaged(Damage.BAD_SUM)


def encode(fields: Mapping[str, str]) -> bytes:
    """The bytes of a block, checksum included: what a product sends."""
    body = b"".join(f"\r\n{label}\t{value}".encode("ascii") for label, value in fields.items())
    body += b"\r\nChecksum\t"
    return body + bytes(((-sum(body)) & 0xFF,))
