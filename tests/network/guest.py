"""What a guest, honest or not, does inside its namespace. One verb; prints one JSON object.

Standard library only, started with the system's Python, so that a phone costs little.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
import sys
import time
from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def tcp(host: str, port: str) -> dict[str, Any]:
    socket.create_connection((host, int(port)), timeout=2).close()
    return {}


def hello(*hosts: str) -> dict[str, Any]:
    """Exchange a packet with each, so that both sides know each other's hardware address."""
    for host in hosts:
        try:
            socket.create_connection((host, 9), timeout=1).close()
        except OSError:
            continue
    return {}


def udp(host: str, port: str, size: str = "4") -> dict[str, Any]:
    with socket.socket(_family(host), socket.SOCK_DGRAM) as peer:
        peer.settimeout(0.8)
        peer.connect((host, int(port)))
        peer.send(b"x" * int(size))
        return {"echo": len(peer.recv(65535))}


def get(url: str, host: str = "") -> dict[str, Any]:
    """One GET by hand, so that every header can be a lie."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=5) as peer:
        head = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {host or parts.netloc}\r\n"
        peer.sendall(f"{head}Connection: close\r\n\r\n".encode())
        return _answer(peer)


def _answer(peer: socket.socket) -> dict[str, Any]:
    peer.settimeout(5)
    raw = b""
    while data := peer.recv(65536):
        raw += data
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    status = int(lines[0].split()[1]) if lines[0] else 0
    return {
        "status": status, "location": fields.get("Location", ""),
        "headers": head.decode("latin-1"), "body": body[:20000].decode("utf-8", "replace"),
    }  # fmt: skip


def send(host: str, port: str, text: str) -> dict[str, Any]:
    """Bytes as they are (`\\r\\n` written out), and the answer."""
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        peer.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
        return _answer(peer)


def fetch(url: str, seconds: str) -> dict[str, Any]:
    """Download for so long; `lasted_s` is when the last byte came, `at` the clock's word for it."""
    parts = urlsplit(url)
    began = time.monotonic()
    total, last = 0, began
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=3) as peer:
        peer.sendall(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        peer.settimeout(0.1)
        while time.monotonic() - began < float(seconds):
            try:
                data = peer.recv(65536)
            except TimeoutError:
                if total and time.monotonic() - last > 1.5:
                    break
                continue
            except ConnectionResetError:
                break
            if not data:
                return {"bytes": total, "lasted_s": last - began, "at": last, "whole": True}
            total, last = total + len(data), time.monotonic()
    return {"bytes": total, "lasted_s": last - began, "at": last, "whole": False}


def push(host: str, port: str, total: str) -> dict[str, Any]:
    """Upload; `taken` is what the far end says it received."""
    with socket.create_connection((host, int(port)), timeout=3) as peer:
        peer.settimeout(2)
        sent = 0
        try:
            while sent < int(total):
                sent += peer.send(b"u" * min(65536, int(total) - sent))
            peer.shutdown(socket.SHUT_WR)
            return {"sent": sent, "taken": int(peer.recv(100))}
        except OSError as e:
            return {"sent": sent, "error": type(e).__name__, "ok": False}


def form(portal: str) -> dict[str, Any]:
    """The welcome page's hidden fields as a browser would send them."""
    page = get(f"http://{portal}/es/")["body"]
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {"body": "&".join(f"{name}={quote(unescape(value))}" for name, value in fields)}


def tap(portal: str, far: str) -> dict[str, Any]:
    """Open the page, tap, and reach the far side; `ms` is from the tap to the open connection."""
    body = form(portal)["body"]
    head = f"POST /es/conectar HTTP/1.1\r\nHost: {portal}\r\nConnection: close\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    began = time.monotonic()
    with socket.create_connection((portal, 80), timeout=5) as peer:
        peer.sendall(f"{head}\r\n{body}".encode())
        status = _answer(peer)["status"]
    socket.create_connection((far, 443), timeout=2).close()
    return {"status": status, "ms": (time.monotonic() - began) * 1000}


def rain(host: str, port: str, seconds: str) -> dict[str, Any]:
    """A datagram asks, the far end answers every 2 ms; when did the last one come?"""
    began = last = time.monotonic()
    count = 0
    with socket.socket(_family(host), socket.SOCK_DGRAM) as peer:
        peer.connect((host, int(port)))
        peer.settimeout(0.05)
        asked = 0.0
        while (now := time.monotonic()) - began < float(seconds):
            if now - asked > 0.01:
                with contextlib.suppress(OSError):
                    peer.send(b"go")
                asked = now
            try:
                peer.recv(2048)
            except OSError:
                continue
            count, last = count + 1, time.monotonic()
    return {"datagrams": count, "last": last}


def _question(number: int, name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    return (
        struct.pack("!6H", number & 0xFFFF, 0x100, 1, 0, 0, 0)
        + labels
        + struct.pack("!2H", kind, 1)
    )


def dns(server: str, name: str, kind: str = "1") -> dict[str, Any]:
    """One A question; the addresses at the end of its answer, and whether it was our own question."""
    with socket.socket(_family(server), socket.SOCK_DGRAM) as peer:
        peer.settimeout(3)
        peer.connect((server, 53))
        peer.send(_question(7, name, int(kind)))
        reply = peer.recv(4096)
    count = struct.unpack_from("!H", reply, 6)[0]
    tail = reply[-16 * count :] if count else b""
    found = [socket.inet_ntoa(tail[i + 12 : i + 16]) for i in range(0, len(tail), 16)]
    return {"addresses": found, "echoed": not reply[2] & 0x80}


def names(server: str, count: str, size: str, kind: str = "1") -> dict[str, Any]:
    """Ask for names of so many bytes as fast as they go: replies, and those with a useful answer."""
    with socket.socket(_family(server), socket.SOCK_DGRAM) as peer:
        peer.settimeout(0.02)
        peer.connect((server, 53))
        began, answers, answered, size_all = time.monotonic(), 0, 0, 0
        for n in range(int(count)):
            label = f"{n:06d}".ljust(60, "a")[: min(60, int(size))]
            rest, labels = max(0, int(size) - len(label) - 1), [label]
            while rest > 1:
                labels.append("b" * min(60, rest))
                rest -= 61
            peer.send(_question(n, ".".join([*labels, "hola", "example", "org"]), int(kind)))
            try:
                reply = peer.recv(4096)
            except OSError:
                continue
            answers, size_all = answers + 1, size_all + len(reply)
            answered += not reply[3] & 0x0F and reply[6:8] != b"\0\0"
    took = time.monotonic() - began
    return {"answers": answers, "answered": answered, "bytes": size_all, "took_s": took}


def pump(host: str, port: str, seconds: str) -> dict[str, Any]:
    """Datagrams that no compression shortens, into a tunnel as hard as it goes."""
    until, sent = time.monotonic() + float(seconds), 0
    with socket.socket(_family(host), socket.SOCK_DGRAM) as peer:
        peer.connect((host, int(port)))
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                sent += peer.send(os.urandom(400))
            time.sleep(0.01)
    return {"sent": sent}


def crowd(host: str, port: str, count: str, seconds: str) -> dict[str, Any]:
    """Open as many connections as possible and say nothing more than a byte a second on each."""
    peers: list[socket.socket] = []
    for _ in range(int(count)):
        try:
            peer = socket.create_connection((host, int(port)), timeout=1)
            peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            peers.append(peer)
        except OSError:
            continue
    opened, until = len(peers), time.monotonic() + float(seconds)
    while time.monotonic() < until:
        for peer in list(peers):
            try:
                peer.sendall(b"X-a: b\r\n")
            except OSError:
                peers.remove(peer)
        time.sleep(1)
    return {"opened": opened, "left": len(peers)}


VERBS = {
    verb.__name__: verb
    for verb in (hello, tcp, udp, get, send, fetch, push, rain, names, dns, pump, crowd, form, tap)
}

if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    start = time.monotonic()
    try:
        result = {"ok": True} | VERBS[verb](*arguments)
    except OSError as e:
        result = {"ok": False, "error": type(e).__name__}
    print(json.dumps(result | {"seconds": time.monotonic() - start}))
