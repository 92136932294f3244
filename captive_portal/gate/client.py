"""The web application's side of the gate socket: `Gate` over a Unix stream.

A connection that was used a moment ago is used again: opening one costs more than most calls.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from captive_portal.gate.protocol import (
    Count,
    Grant,
    LineReader,
    ListEnded,
    ListVisits,
    Reply,
    Request,
    Restore,
    Revoke,
    Stats,
    decode_ended,
    decode_reply,
    decode_visit,
    encode_request,
)
from captive_portal.gate.visits import (
    NO_LIMITS,
    EndedVisit,
    GateCause,
    GateStats,
    GateTrouble,
    Limits,
    Visit,
)

_Row = TypeVar("_Row")
REUSE_S = 3.0
"""Less than the daemon's patience with an idle caller."""
MAX_IDLE = 12
_CLOSED = GateTrouble(GateCause.NO_ANSWER, "gate closed the connection")


class GateClient:
    """Talks to `plaza gate run`. Everything that goes wrong on the way is `GateCause.NO_ANSWER`."""

    def __init__(self, path: Path, timeout_s: float = 2.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._idle: list[tuple[float, socket.socket]] = []

    def close(self) -> None:
        """Hang up; the next call opens a connection again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, peer in idle:
            peer.close()

    def __del__(self) -> None:
        self.close()

    def grant(self, ip: str, seconds: int, limits: Limits = NO_LIMITS) -> Visit | GateTrouble:
        return _visit(self._one(Grant(ip, seconds, limits)))

    def revoke(self, ip: str) -> Visit | GateTrouble:
        return _visit(self._one(Revoke(ip)))

    def look(self, ip: str) -> Visit | GateTrouble:
        return _visit(self._one(ListVisits(ip)))

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        return self._rows(ListVisits(), decode_visit)

    def ended(self) -> tuple[EndedVisit, ...] | GateTrouble:
        return self._rows(ListEnded(), decode_ended)

    def restore(self) -> int | GateTrouble:
        reply = self._one(Restore())
        return reply if isinstance(reply, int | GateTrouble) else _unexpected()

    def stats(self) -> GateStats | GateTrouble:
        reply = self._one(Stats())
        return reply if isinstance(reply, GateStats | GateTrouble) else _unexpected()

    def _rows(
        self, request: Request, decode: Callable[[bytes], _Row | GateTrouble]
    ) -> tuple[_Row, ...] | GateTrouble:
        reply = self._call(request)
        if isinstance(reply, GateTrouble):
            return reply
        head = decode_reply(reply[0])
        if isinstance(head, GateTrouble):
            return head
        rows = []
        for line in reply[1:]:
            row = decode(line)
            if isinstance(row, GateTrouble):
                return row
            rows.append(row)
        return tuple(rows)

    def _one(self, request: Request) -> Reply:
        lines = self._call(request)
        return lines if isinstance(lines, GateTrouble) else decode_reply(lines[0])

    def _call(self, request: Request) -> list[bytes] | GateTrouble:
        """All lines of the reply: the first, then as many as it counts."""
        raw = encode_request(request)
        try:
            while (kept := self._take()) is not None:
                with contextlib.suppress(ConnectionError):
                    reply = self._exchange(kept, raw)
                    if reply is not _CLOSED:
                        return reply
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                peer.settimeout(self._timeout_s)
                peer.connect(str(self._path))
            except OSError:
                peer.close()
                raise
            return self._exchange(peer, raw)
        except OSError as e:
            return GateTrouble(GateCause.NO_ANSWER, f"gate socket: {e.strerror or e}")

    def _exchange(self, peer: socket.socket, raw: bytes) -> list[bytes] | GateTrouble:
        """One call; a connection that answered well is kept for the next."""
        reply: list[bytes] | GateTrouble = _CLOSED
        try:
            peer.sendall(raw)
            reply = _read_reply(peer)
        finally:
            if isinstance(reply, GateTrouble):
                peer.close()
        with self._lock:
            if isinstance(reply, list) and len(self._idle) < MAX_IDLE:
                self._idle.append((time.monotonic(), peer))
                return reply
        peer.close()
        return reply

    def _take(self) -> socket.socket | None:
        """The connection used last, if that was a moment ago; older ones are hung up."""
        with self._lock:
            while self._idle:
                used, peer = self._idle.pop()
                if time.monotonic() - used < REUSE_S:
                    return peer
                peer.close()
        return None


def _read_reply(peer: socket.socket) -> list[bytes] | GateTrouble:
    reader = LineReader()
    lines: list[bytes] = []
    wanted = 1
    while len(lines) < wanted:
        data = peer.recv(65536)
        if not data:
            return _CLOSED
        more = reader.feed(data)
        if isinstance(more, GateTrouble):
            return more
        if more and not lines:
            first = decode_reply(more[0])
            wanted = 1 + first.lines if isinstance(first, Count) else 1
        lines += more
    return lines


def _visit(reply: Reply) -> Visit | GateTrouble:
    return reply if isinstance(reply, Visit | GateTrouble) else _unexpected()


def _unexpected() -> GateTrouble:
    return GateTrouble(GateCause.NO_ANSWER, "reply of another verb")
