"""Who is behind a request: the visitor's own address, also when the portal's TLS stands in between.

Apart from `captive_portal.secure`, so that a portal without a certificate does without its event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class SecureOrigin:
    """Which inner connections came over TLS, and from whom."""

    def __init__(self) -> None:
        self._peers: dict[tuple[str, str], str] = {}

    def opened(self, inner: tuple[str, int], peer: str) -> None:
        self._peers[inner[0], str(inner[1])] = peer

    def closed(self, inner: tuple[str, int]) -> None:
        self._peers.pop((inner[0], str(inner[1])), None)

    def peer_of(self, inner: tuple[Any, ...]) -> str:
        """Who is behind a connection of the inner listener: as handed over, else its own address."""
        return self._peers.get((str(inner[0]), str(inner[1])), str(inner[0]))

    def around(self, app: WsgiApp) -> WsgiApp:
        """The application, told the truth about who asks and how."""

        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            inner = (environ.get("REMOTE_ADDR", ""), str(environ.get("REMOTE_PORT", "")))
            if (peer := self._peers.get(inner)) is not None:
                environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = peer, "https"
            return app(environ, start)

        return answer
