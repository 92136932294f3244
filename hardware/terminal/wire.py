"""Frames between node and terminal: STX payload ETX LRC, answered ACK or NAK. Sans-IO, both ends.

The check byte is the XOR of everything after STX, ETX included, started from 0x7F: the convention
of published European cash-register links, so that a line stuck at zero is never a valid frame.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

STX, ETX, ACK, NAK = 0x02, 0x03, 0x06, 0x15
PAYLOAD_MAX = 240
ACK_S = 1.0
TRIES = 3
OUTBOX_MAX = 32
_LRC_BASE = 0x7F


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other end acknowledged this payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Three tries and no acknowledgement. The other end may have acted on it all the same."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Received:
    payload: bytes


LinkEvent = Delivered | Undelivered | Received


def lrc(data: bytes) -> int:
    check = _LRC_BASE
    for byte in data:
        check ^= byte
    return check


def frame(payload: bytes) -> bytes:
    """Raises ValueError for a payload that is too long or holds control bytes of the frame."""
    if not 0 < len(payload) <= PAYLOAD_MAX:
        raise ValueError(f"a payload of {len(payload)} bytes; 1 to {PAYLOAD_MAX} fit")
    if any(byte in payload for byte in (STX, ETX, ACK, NAK)):
        raise ValueError("a payload cannot hold STX, ETX, ACK or NAK")
    body = payload + bytes((ETX,))
    return bytes((STX,)) + body + bytes((lrc(body),))


class Link:
    """One end of the wire. Send with `queue`, drive with `feed` and `tick`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_frame = False
        self._wants_lrc = False
        self._outbox: deque[bytes] = deque()
        self._in_flight: bytes | None = None
        self._tries = 0
        self._deadline = 0.0
        self._replies = bytearray()

    @property
    def is_idle(self) -> bool:
        return self._in_flight is None and not self._outbox

    def queue(self, payload: bytes) -> bool:
        """Send when the wire is free. False when too much is waiting already."""
        frame(payload)
        if len(self._outbox) >= OUTBOX_MAX:
            return False
        self._outbox.append(payload)
        return True

    def reset(self) -> None:
        """A new cable: nothing half heard or half said is left."""
        self.__init__()  # type: ignore[misc]  # same object, fresh state: callers hold it

    def feed(self, data: bytes, now: float) -> list[LinkEvent]:
        """Bytes from the wire; junk between frames is dropped, a damaged frame is answered NAK."""
        events: list[LinkEvent] = []
        for byte in data:
            event = self._one(byte, now)
            if event is not None:
                events.append(event)
        return events

    def tick(self, now: float) -> tuple[bytes, list[LinkEvent]]:
        """What to send now, and what was given up."""
        out = bytes(self._replies)
        self._replies.clear()
        events: list[LinkEvent] = []
        if self._in_flight is not None and now >= self._deadline:
            if self._tries >= TRIES:
                events.append(Undelivered(self._in_flight))
                self._in_flight = None
            else:
                out += self._send(self._in_flight, now)
        if self._in_flight is None and self._outbox:
            self._in_flight, self._tries = self._outbox.popleft(), 0
            out += self._send(self._in_flight, now)
        return out, events

    def _send(self, payload: bytes, now: float) -> bytes:
        self._tries += 1
        self._deadline = now + ACK_S
        return frame(payload)

    def _one(self, byte: int, now: float) -> LinkEvent | None:
        if self._wants_lrc:
            return self._finish(byte)
        if self._in_frame:
            self._collect(byte)
            return None
        if byte == STX:
            self._buffer.clear()
            self._in_frame = True
        elif byte == ACK and self._in_flight is not None:
            done, self._in_flight = self._in_flight, None
            return Delivered(done)
        elif byte == NAK and self._in_flight is not None:
            self._deadline = now
        return None

    def _collect(self, byte: int) -> None:
        if byte == STX:
            self._buffer.clear()
        elif byte == ETX:
            self._wants_lrc = True
        elif len(self._buffer) >= PAYLOAD_MAX:
            self._in_frame = False
            self._replies.append(NAK)
        else:
            self._buffer.append(byte)

    def _finish(self, check: int) -> Received | None:
        self._in_frame = self._wants_lrc = False
        payload = bytes(self._buffer)
        self._buffer.clear()
        if not payload or check != lrc(payload + bytes((ETX,))):
            self._replies.append(NAK)
            return None
        self._replies.append(ACK)
        return Received(payload)
