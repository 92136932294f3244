"""The web application's side of the gate socket: `Gate` over a Unix stream, one call a connection."""

from __future__ import annotations

import socket
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


class GateClient:
    """Talks to `plaza gate run`. Everything that goes wrong on the way is `GateCause.NO_ANSWER`."""

    def __init__(self, path: Path, timeout_s: float = 2.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

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
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                peer.settimeout(self._timeout_s)
                peer.connect(str(self._path))
                peer.sendall(encode_request(request))
                return _read_reply(peer)
        except OSError as e:
            return GateTrouble(GateCause.NO_ANSWER, f"gate socket: {e.strerror or e}")


def _read_reply(peer: socket.socket) -> list[bytes] | GateTrouble:
    reader = LineReader()
    lines: list[bytes] = []
    wanted = 1
    while len(lines) < wanted:
        data = peer.recv(65536)
        if not data:
            return GateTrouble(GateCause.NO_ANSWER, "gate closed the connection")
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
