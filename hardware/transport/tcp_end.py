"""The far end of a network cable: a device that listens for one connection at a time.

Unplugging resets the connection and stops listening; after `replug` it listens at the same port.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct

from hardware.transport.far_end import CHUNK, FarEnd

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 s: closing sends a reset."""


class TcpEnd(FarEnd):
    """A `FarEnd` over TCP on 127.0.0.1. The path is `tcp://127.0.0.1:port`."""

    _listener: socket.socket | None = None
    _line: socket.socket | None = None
    _port = 0

    @property
    def is_plugged(self) -> bool:
        return self._listener is not None

    def unplug(self) -> None:
        with self._lock:
            for end in (self._line, self._listener):
                if end is not None:
                    with contextlib.suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    end.close()
            self._line = self._listener = None

    def replug(self) -> None:
        with self._lock:
            if self._listener is not None:
                return
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=1)
            self._listener.setblocking(False)
            self._port = self._listener.getsockname()[1]
            self.path = f"tcp://127.0.0.1:{self._port}"

    def send(self, data: bytes) -> None:
        with self._lock:
            if self._line is not None:
                with contextlib.suppress(OSError):
                    self._line.send(data)

    def _take(self) -> bytes:
        with self._lock:
            waited = self._line if self._line is not None else self._listener
        if waited is None or (waited is self._line and not self._wants_bytes()):
            return self._rest()
        try:
            ready, _, _ = select.select([waited], [], [], self._idle_s)
            with self._lock:
                return self._serve(waited) if ready else b""
        except (OSError, ValueError):  # unplugged while waiting
            with self._lock:
                if self._line is waited:
                    self._line = None
            return b""

    def _serve(self, waited: socket.socket) -> bytes:
        """A caller or bytes; called with the lock held and something there."""
        if waited is self._listener:
            self._line, _ = waited.accept()
            self._line.setblocking(False)
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        if waited is not self._line:
            return b""
        data = waited.recv(CHUNK)
        if not data:
            waited.close()
            self._line = None
        return data
