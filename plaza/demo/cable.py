"""The cable between node and city: a TCP relay on loopback that can be cut and mended.

Cut means what it means in a street: open connections die at once and new ones are refused.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

_CHUNK = 64 * 1024


class Cable:
    """Relays 127.0.0.1:`listen` to 127.0.0.1:`target` while it is whole."""

    def __init__(self, listen: int, target: int) -> None:
        self._listen = listen
        self._target = target
        self._server: socket.socket | None = None
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def whole(self) -> bool:
        return self._server is not None

    def mend(self) -> None:
        """Connect the cable. Nothing happens when it is whole already."""
        with self._lock:
            if self._server is not None:
                return
            server = socket.create_server(("127.0.0.1", self._listen), reuse_port=False)
            self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True, name="cable").start()

    def cut(self) -> None:
        """Cut the cable: nothing listens and every open connection is reset."""
        with self._lock:
            server, self._server = self._server, None
            ends, self._ends = self._ends, set()
        if server is not None:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            near.close()
            return
        with near, far:
            with self._lock:
                if self._server is None:
                    return
                self._ends |= {near, far}
            with contextlib.suppress(OSError):
                _shuttle(near, far)
            with self._lock:
                self._ends -= {near, far}


def _shuttle(near: socket.socket, far: socket.socket) -> None:
    """Copy both directions until either side ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in selector.select():
                source = key.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(_CHUNK)
                if not data:
                    return
                key.data.sendall(data)
