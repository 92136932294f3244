"""Serving: waitress around the application, until a signal ends it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from flask import Flask
from waitress.server import create_server  # type: ignore[import-untyped]  # it has no types

THREADS = 8
LARGEST_BODY = 4 * 1024 * 1024
"""Above the application's own limit, so that the refusal is a signed problem up to here."""


def serve(app: Flask, host: str, port: int, ready: Callable[[int], None], proxy: str = "") -> None:
    """Listen and answer until SIGTERM or SIGINT; `ready` is told the real port (0 asks for any).

    `proxy` is the address of the one proxy whose word about a client's address and scheme is taken. Raises
    OSError when the address cannot be used. Call it on the main thread.
    """
    server = create_server(
        app,
        host=host,
        port=port,
        threads=THREADS,
        ident="plaza",
        max_request_body_size=LARGEST_BODY,
        clear_untrusted_proxy_headers=True,
        **(_trust(proxy) if proxy else {}),
        channel_timeout=60,
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        ready(_port(server))
        server.run()
    finally:
        server.close()


def _trust(proxy: str) -> dict[str, Any]:
    headers = {"x-forwarded-for", "x-forwarded-proto"}
    return {"trusted_proxy": proxy, "trusted_proxy_count": 1, "trusted_proxy_headers": headers}


def _port(server: Any) -> int:
    """A name such as localhost can stand for several addresses, all with one port."""
    several = getattr(server, "effective_listen", None)
    return int(several[0][1] if several else server.effective_port)
