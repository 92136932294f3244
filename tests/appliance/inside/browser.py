"""What a phone's sign-in sheet and browser do, without JavaScript or cookies; prints one JSON object.

`get URL`, `join URL` (follow the portal, send its form), `pull URL` (download until it ends or stalls).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import sys
import time
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit


class Form(HTMLParser):
    """The first form of a page that is sent by POST: where to, and its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {k: v or "" for k, v in attrs}
        if tag == "form" and not self.action and values.get("method", "").lower() == "post":
            self.action, self._inside = values.get("action", ""), True
        elif self._inside and tag in ("input", "button") and values.get("name"):
            self.fields.setdefault(values["name"], values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def ask(method: str, url: str, body: str = "") -> tuple[int, str, str]:
    """Status, Location and body of one request; redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=15)
    headers = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) demo", "Connection": "close"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers.get("Location", ""), answer.read(200_000).decode()


def get(url: str) -> dict[str, Any]:
    status, location, body = ask("GET", url)
    return {"status": status, "location": location, "body": body[:300]}


def join(url: str) -> dict[str, Any]:
    """From a probe to the page, and the page's form sent as it is."""
    status, location, body = ask("GET", url)
    seen: dict[str, Any] = {"probe": status, "portal": location}
    page = location
    for _ in range(4):
        status, location, body = ask("GET", page)
        if status not in (301, 302, 303):
            break
        page = urljoin(page, location)
    form = Form()
    form.feed(body)
    if not form.action:
        return seen | {
            "page": status,
            "text": re.sub(r"(?s)<style.*?</style>|<[^>]+>|\s+", " ", body)[:600],
        }
    seen |= {"page": status, "bytes": len(body), "fields": sorted(form.fields)}
    status, location, _ = ask("POST", urljoin(page, form.action), urlencode(form.fields))
    return seen | {"accepted": status, "then": location}


def pull(url: str) -> dict[str, Any]:
    """Bytes of a download until its end or until nothing came for three seconds."""
    parts = urlsplit(url)
    total = 0
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5) as peer:
        peer.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        peer.settimeout(3)
        try:
            while data := peer.recv(65536):
                total += len(data)
        except OSError as e:
            return {"bytes": total, "ended": type(e).__name__}
    return {"bytes": total, "ended": "whole"}


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    began = time.monotonic()
    try:
        result = {"ok": True} | {"get": get, "join": join, "pull": pull}[verb](*words)
    except OSError as e:
        result = {"ok": False, "error": type(e).__name__}
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 3)}))
