"""The name that a request calls us by, before anything believes it.

Rule of this boundary: a Host header that is no host name is treated as the name of somebody else's
site: the request is led to the portal. It never reaches a router, a page or a log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

NOBODY = "unreadable.invalid"
"""A reserved name (RFC 2606)."""
_PLAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}\.?){1,8}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def clean_host(text: str) -> str:
    """The header as it is when it can be a host name or address with or without a port, else `NOBODY`."""
    if len(text) > 261 or not _PLAIN.fullmatch(text) or ".." in text:
        return NOBODY
    port = text.rpartition(":")[2] if not text.endswith("]") and ":" in text else "1"
    return text if 0 < int(port) < 65536 else NOBODY


def with_clean_host(app: WsgiApp) -> WsgiApp:
    """The application, behind this rule."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["HTTP_HOST"] = clean_host(environ.get("HTTP_HOST", ""))
        return app(environ, start)

    return answer
