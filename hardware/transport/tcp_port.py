"""A device on the local network: raw bytes over TCP, port 9100 as printers have it.

The kernel is told to give up on unanswered bytes after a few seconds: otherwise a printer whose
cable was pulled looks connected for a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time

from hardware.transport.port import READ_MAX, WRITE_TIMEOUT_S, PortCause, PortProblem

CONNECT_TIMEOUT_S = 2.0
UNANSWERED_MS = 5000
"""TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged (RFC 5482)."""

_OPEN_CAUSES = {
    errno.ECONNREFUSED: PortCause.MISSING,
    errno.EHOSTUNREACH: PortCause.MISSING,
    errno.ENETUNREACH: PortCause.MISSING,
    errno.EHOSTDOWN: PortCause.MISSING,
    errno.EACCES: PortCause.DENIED,
    errno.EPERM: PortCause.DENIED,
}


class TcpPort:
    """An open connection. Make one with `open_tcp`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def read(self, timeout_s: float) -> bytes | PortProblem:
        try:
            ready, _, _ = select.select([self._line], [], [], timeout_s)
            if not ready:
                return b""
            data = self._line.recv(READ_MAX)
        except (OSError, ValueError) as problem:  # ValueError: closed under a read
            return PortProblem(PortCause.GONE, str(problem))
        return data or PortProblem(PortCause.GONE, "the other side hung up")

    def write(self, data: bytes) -> PortProblem | None:
        rest, end = memoryview(data), time.monotonic() + WRITE_TIMEOUT_S
        try:
            while rest:
                left_s = max(0.0, end - time.monotonic())
                _, ready, _ = select.select([], [self._line], [], left_s)
                if not ready:
                    return PortProblem(PortCause.BLOCKED, f"{len(rest)} bytes not taken")
                rest = rest[self._line.send(rest) :]
        except (OSError, ValueError) as problem:
            return PortProblem(PortCause.GONE, str(problem))
        return None

    def drop_input(self) -> None:
        with contextlib.suppress(OSError):
            while self._line.recv(READ_MAX):
                pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.close()


def open_tcp(host: str, port: int) -> TcpPort | PortProblem:
    """Connect within `CONNECT_TIMEOUT_S`."""
    try:
        line = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
    except TimeoutError as problem:
        return PortProblem(PortCause.MISSING, str(problem))
    except OSError as problem:  # gaierror too: a name that nobody knows
        return PortProblem(_OPEN_CAUSES.get(problem.errno or 0, PortCause.MISSING), str(problem))
    line.setblocking(False)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
    return TcpPort(line)
