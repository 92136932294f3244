"""Linux input events as bytes: `struct input_event` in and out, for keypads and jack sensors.

Sans-IO. The numbers are the kernel's (linux/input-event-codes.h) and do not change. From a real
device the pieces are whole; from a cable that lost a byte the reader finds the next whole event again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

EVENT = struct.Struct("@llHHi")
"""tv_sec, tv_usec, type, code, value, in the sizes of this machine (24 bytes on 64 bits)."""

EV_SYN, EV_KEY, EV_MSC, EV_SW = 0x00, 0x01, 0x04, 0x05
SYN_REPORT, SYN_DROPPED = 0, 3
SW_HEADPHONE_INSERT = 0x02

_CODES = {
    EV_SYN: range(4),
    EV_KEY: range(1, 0x300),
    EV_MSC: range(6),
    EV_SW: range(0x20),
    0x11: range(0x10),  # lamps
    0x14: range(2),  # repeat rate
}
_VALUE_MAX = {EV_SYN: 1, EV_KEY: 2, EV_SW: 1}
_MICROSECONDS = 1_000_000
_SECONDS_MAX = 2**40
"""No clock says so: such a time means that bytes of two events were joined."""


@dataclass(frozen=True, slots=True)
class InputEvent:
    type: int
    code: int
    value: int
    at_s: float = 0.0
    """When the kernel saw it, by the kernel's clock: not when somebody came to read it."""


def pack(event: InputEvent, at_s: float) -> bytes:
    seconds = int(at_s)
    return EVENT.pack(
        seconds, int((at_s - seconds) * _MICROSECONDS), event.type, event.code, event.value
    )


class EventReader:
    """Bytes in any pieces in, events out. Keeps less than one event between feeds."""

    def __init__(self) -> None:
        self._held = b""
        self.skipped = 0
        """Bytes that belonged to no event."""

    def feed(self, data: bytes) -> list[InputEvent]:
        data = self._held + data
        events, at = [], 0
        while len(data) - at >= EVENT.size:
            seconds, microseconds, type_, code, value = EVENT.unpack_from(data, at)
            if _is_event(seconds, microseconds, type_, code, value):
                at_s = seconds + microseconds / _MICROSECONDS
                events.append(InputEvent(type_, code, value, at_s))
                at += EVENT.size
            else:
                self.skipped += 1
                at += 1
        self._held = data[at:]
        return events

    def reset(self) -> None:
        self._held = b""


def _is_event(seconds: int, microseconds: int, type_: int, code: int, value: int) -> bool:
    timed = 0 < seconds < _SECONDS_MAX and 0 <= microseconds < _MICROSECONDS
    if not timed or code not in _CODES.get(type_, ()):
        return False
    return type_ not in _VALUE_MAX or 0 <= value <= _VALUE_MAX[type_]
