"""The master's side of the wire: one question at a time, a deadline, tries, and an answer or silence."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.cash.frames import MASTER, Frame, FrameReader, Header, encode

REPLY_S = 0.25
"""How long a peripheral may take (part 1 asks for far less from each but the validator)."""

TRIES = 3


@dataclass(frozen=True, slots=True)
class Request:
    """`length` is the exact size of a good answer's data, None when it varies.

    `tries` is 1 for what must not be said twice: a repeated dispense pays twice.
    """

    to: int
    header: int
    data: bytes = b""
    length: int | None = 0
    tries: int = TRIES


@dataclass(frozen=True, slots=True)
class Answered:
    request: Request
    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """NAK or busy: it heard and does not do it."""

    request: Request


@dataclass(frozen=True, slots=True)
class Silent:
    """No believable answer in all tries. It may have done it all the same."""

    request: Request


Reply = Answered | Refused | Silent


class Bus:
    """One request in flight. `ask` when idle, then `feed` and `tick` until there is a Reply."""

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._request: Request | None = None
        self._left = 0
        self._deadline = 0.0

    @property
    def is_idle(self) -> bool:
        return self._request is None

    def reset(self) -> Silent | None:
        """A new cable: what was in flight is not answered any more."""
        lost, self._request = self._request, None
        self._reader.clear()
        return None if lost is None else Silent(lost)

    def ask(self, request: Request, now: float) -> bytes:
        assert self._request is None, "one question at a time"
        self._request, self._left = request, request.tries
        return self._send(now)

    def feed(self, data: bytes, now: float) -> Reply | None:
        for frame in self._reader.feed(data):
            reply = self._judge(frame)
            if reply is not None:
                self._request = None
                return reply
        return None

    def tick(self, now: float) -> tuple[bytes, Reply | None]:
        """Bytes to send again, or the end of patience."""
        request = self._request
        if request is None or now < self._deadline:
            return b"", None
        if self._left > 0:
            return self._send(now), None
        self._request = None
        return b"", Silent(request)

    def _send(self, now: float) -> bytes:
        assert self._request is not None, "only a request can be sent"
        self._left -= 1
        self._deadline = now + REPLY_S
        self._reader.clear()
        request = self._request
        return encode(Frame(request.to, MASTER, request.header, request.data))

    def _judge(self, frame: Frame) -> Reply | None:
        request = self._request
        if request is None or frame.to != MASTER or frame.source != request.to:
            return None  # our echo, another's late answer, or noise
        if frame.header in (Header.NAK, Header.BUSY) and not frame.data:
            return Refused(request)
        if frame.header != Header.REPLY:
            return None
        if request.length is not None and len(frame.data) != request.length:
            return None
        return Answered(request, frame.data)
