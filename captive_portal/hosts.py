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
    r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
"""One repetition a part: a long name that fails must fail at once."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def clean_host(text: str) -> str:
    """The header as it is when it can be a host name or address with or without a port, else `NOBODY`."""
    found = _PLAIN.fullmatch(text)
    if found is None or ".." in text or not 0 < int(found["port"] or 80) < 65536:
        return NOBODY
    return text


def with_clean_host(app: WsgiApp) -> WsgiApp:
    """The application, behind this rule."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["HTTP_HOST"] = clean_host(environ.get("HTTP_HOST", ""))
        return app(environ, start)

    return answer
