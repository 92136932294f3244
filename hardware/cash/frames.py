"""ccTalk frames: destination, length, source, header, data, checksum. Sans-IO, both ends.

The checksum makes the sum of all bytes zero modulo 256 (ccTalk generic specification, part 1). The bus
is one wire, so whoever speaks hears itself: a frame whose source is the master is our own echo.
"""

from __future__ import annotations

from dataclasses import dataclass

MASTER = 1
OVERHEAD = 5
BUFFER_MAX = 600
"""Two of the longest frames: echo and answer."""


class Header:
    """The commands that this bus uses; answers carry REPLY, NAK or BUSY in the same place."""

    REPLY = 0
    RESET = 1
    NAK = 5
    BUSY = 6
    OPERATING_MODE = 153
    ROUTE_BILL = 154
    SCALING = 156
    BILL_ID = 157
    BILL_EVENTS = 159
    CIPHER_KEY = 160
    PUMP_RNG = 161
    HOPPER_TEST = 163
    HOPPER_ENABLE = 164
    HOPPER_STATUS = 166
    DISPENSE = 167
    DISPENSE_COUNT = 168
    COIN_ID = 184
    HOPPER_LEVEL = 217
    ACCEPT_COUNT = 225
    MASTER_INHIBIT = 228
    COIN_EVENTS = 229
    READ_INHIBITS = 230
    INHIBITS = 231
    SELF_CHECK = 232
    SERIAL = 242
    SIMPLE_POLL = 254


@dataclass(frozen=True, slots=True)
class Frame:
    to: int
    source: int
    header: int
    data: bytes = b""


def encode(frame: Frame) -> bytes:
    """Raises ValueError for more than 252 bytes of data or an address that is no byte."""
    if len(frame.data) > 252:
        raise ValueError(f"{len(frame.data)} bytes of data; 252 fit")
    body = bytes((frame.to, len(frame.data), frame.source, frame.header)) + frame.data
    return body + bytes((-sum(body) % 256,))


class FrameReader:
    """Bytes in, whole frames out; what is no frame is dropped byte by byte."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def clear(self) -> None:
        """The line was silent: half a frame will not be finished."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        found = []
        while len(self._buffer) >= OVERHEAD:
            size = OVERHEAD + self._buffer[1]
            if len(self._buffer) < size:
                break
            raw = bytes(self._buffer[:size])
            if sum(raw) % 256 == 0:
                found.append(Frame(raw[0], raw[2], raw[3], raw[4:-1]))
                del self._buffer[:size]
            else:
                del self._buffer[0]
        if len(self._buffer) > BUFFER_MAX:
            del self._buffer[:-BUFFER_MAX]
        return found
