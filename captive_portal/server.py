"""Serving the portal: waitress with room for phones that hold connections open, and none for misuse."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import waitress.wasyncore as wasyncore  # type: ignore[import-untyped]  # waitress ships no types
from flask import Flask
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # same
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]  # same
from waitress.server import BaseWSGIServer, create_server  # type: ignore[import-untyped]  # same
from waitress.task import ErrorTask, WSGITask  # type: ignore[import-untyped]  # same

from captive_portal.counters import Count, Counters
from captive_portal.uploads import Refused, UploadParser, UploadSlots

THREADS = 8
MAX_CONNECTIONS = 1000
MAX_PER_PEER = 32
"""Connections of one address: more than any sheet opens, too few to keep others out."""
MAX_BODY = 17 * 1024


class _ClosingTask(WSGITask):  # type: ignore[misc]  # the base class has no types
    """Ends the connection after an answer that the application marked with `plaza.close`.

    A phone keeps the connection of its probe open; with hundreds of phones those connections would
    starve the pages of everybody else.
    """

    def build_response_header(self) -> bytes:
        if (self.environ or {}).get("plaza.close"):
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


_TOO_LONG = ("El texto es demasiado largo", "No se guardó nada. Regrese y escriba un texto más corto.",
             "The text is too long. Nothing was saved. Go back and write a shorter one.")  # fmt: skip
_NOT_UNDERSTOOD = ("No entendimos la solicitud", "No se guardó nada. Regrese al inicio y elija de nuevo.",
                   "We did not understand the request. Go back and choose again.")  # fmt: skip
_PAGE = """<!doctype html><html lang="es"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{0}</title>
<h1>{0}</h1><p>{1}</p><p lang="en">{2}</p></html>
"""


class _WordedErrorTask(ErrorTask):  # type: ignore[misc]  # the base class has no types
    """What never reaches the application (too long, not HTTP) is answered in a visitor's words too."""

    def execute(self) -> None:
        error = self.request.error
        self.channel.server.counters.add(Count.BAD_REQUEST)
        self.status = f"{error.code} {error.reason}"
        words = _TOO_LONG if error.code in (413, 431) else _NOT_UNDERSTOOD
        if isinstance(error, Refused):
            words = error.words
        body = _PAGE.format(*words).encode()
        self.response_headers += [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", "default-src 'none'"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _ClosingChannel(HTTPChannel):  # type: ignore[misc]  # the base class has no types
    task_class = _ClosingTask
    error_task_class = _WordedErrorTask

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        super().__init__(server, sock, addr, adj, map=map)
        # The node's own programs share this address: the TLS door counts its peers itself.
        self._counted = "" if str(addr[0]) == "127.0.0.1" else str(addr[0])
        if self._counted:
            server.crowd[self._counted] += 1
            self.will_close = server.crowd[self._counted] > MAX_PER_PEER

    def parser_class(self, adj: Any) -> HTTPRequestParser:
        """Knows who sends, because photos are few at once and one a device."""
        return UploadParser(adj, self.server.peer_of(self.addr), self.server.upload_slots)

    def handle_close(self) -> None:
        super().handle_close()
        crowd, peer = self.server.crowd, self._counted
        self._counted = ""
        if peer:
            crowd[peer] -= 1
            if not crowd[peer]:
                del crowd[peer]
        if self.request is not None:
            self.request.close()


def make_server(
    app: Flask,
    listen: str,
    threads: int = THREADS,
    counters: Counters | None = None,
    peer_of: Callable[[tuple[Any, ...]], str] = lambda address: str(address[0]),
) -> BaseWSGIServer:
    """A bound server for `ADDR:PORT` (port 0: a free one, see `effective_port`); `run()` serves.

    `peer_of` tells who is behind a connection's address, when another listener passes some on.
    Raises OSError when the address cannot be bound.
    """
    # A full queue is a busy afternoon, not trouble: it must not fill the journal.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    host, _, port = listen.rpartition(":")
    server = create_server(
        app,
        host=host.strip("[]"),
        port=int(port),
        threads=threads,
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=15,
        cleanup_interval=5,
        max_request_header_size=16 * 1024,
        max_request_body_size=MAX_BODY,
        inbuf_overflow=MAX_BODY + 1,
        ident=None,
        clear_untrusted_proxy_headers=True,
    )
    server.channel_class = _ClosingChannel
    server.crowd = Counter()
    server.upload_slots = UploadSlots()
    server.peer_of = peer_of
    server.counters = counters or Counters()
    return server


def proof_of_life(server: BaseWSGIServer, within_s: float) -> bool:
    """Whether the loop and one of the workers still turn: a task goes the way that requests go."""
    task = _Errand()
    server.trigger.pull_trigger(lambda: server.task_dispatcher.add_task(task))
    return task.done.wait(within_s)


class _Errand:
    """The least that a worker can be given."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def service(self) -> None:
        self.done.set()

    def cancel(self) -> None:
        """The server stops: nobody waits for this any more."""


def stop_server(server: BaseWSGIServer) -> None:
    """End a server that runs in another thread: its workers first, because each wakes the loop when it
    is done, then its sockets from inside the loop."""
    server.task_dispatcher.shutdown()
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
