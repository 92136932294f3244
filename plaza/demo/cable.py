"""The cable between node and city: a TCP relay on loopback that can be cut and mended.

Cut means what it means in a street: open connections die at once and new ones are refused. A cable
can also end at somebody's login page, which answers 200 to everything: a cheap modem, a hotel, a carrier
without credit.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

_CHUNK = 64 * 1024
_PAGE = (
    b"<!doctype html><html lang=es><title>Bienvenido</title><h1>Inicie sesi&oacute;n para navegar</h1>"
    b"<form><input name=usuario><input name=clave type=password></form></html>"
)
LOGIN_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)
)


class Cable:
    """Relays 127.0.0.1:`listen` to 127.0.0.1:`target` while it is whole."""

    def __init__(self, listen: int, target: int) -> None:
        self._listen = listen
        self._target = target
        self._server: socket.socket | None = None
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._impostor = False

    @property
    def whole(self) -> bool:
        return self._server is not None and not self._impostor

    @property
    def state(self) -> str:
        """`whole`, `cut` or `login_page`."""
        if self._server is None:
            return "cut"
        return "login_page" if self._impostor else "whole"

    def mend(self) -> None:
        """Connect the cable to the city. Nothing happens when it is whole already."""
        if self._impostor:
            self.cut()
        self._connect(impostor=False)

    def end_at_login_page(self) -> None:
        """Connect the cable to somebody who is not the city and answers as if all were well."""
        if self.whole:
            self.cut()
        self._connect(impostor=True)

    def _connect(self, *, impostor: bool) -> None:
        with self._lock:
            self._impostor = impostor
            if self._server is not None:
                return
            server = socket.create_server(("127.0.0.1", self._listen), reuse_port=False)
            self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True, name="cable").start()

    def cut(self) -> None:
        """Cut the cable: nothing listens and every open connection is reset."""
        with self._lock:
            server, self._server = self._server, None
            self._impostor = False
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
        if self._impostor:
            _answer_as_login_page(near)
            return
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


def _answer_as_login_page(near: socket.socket) -> None:
    """Read what is said, whatever it is, and answer with the page."""
    with near, contextlib.suppress(OSError):
        near.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while b"\r\n\r\n" not in near.recv(_CHUNK):
                pass
        near.sendall(LOGIN_PAGE)
        near.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            while near.recv(_CHUNK):
                pass


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
