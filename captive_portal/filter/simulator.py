"""A phone's questions and a whole Internet's answers, for tests and benches: the smallest useful DNS.

`Upstream` answers every name like a resolver on the uplink would; `ask` is a stub resolver's one question.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import threading
from dataclasses import dataclass

from captive_portal.filter.names import wire

A, CNAME, TXT, AAAA, HTTPS = 1, 5, 16, 28, 65
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
_HEADER = struct.Struct(">HHHHHH")


@dataclass(frozen=True, slots=True)
class Reply:
    rcode: int
    addresses: tuple[str, ...]
    cnames: tuple[str, ...]


def ask(
    name: str,
    server: tuple[str, int],
    kind: int = A,
    *,
    source: str = "",
    timeout_s: float = 5.0,
) -> Reply | None:
    """One question over UDP; None when nobody answered in time."""
    number = secrets.randbelow(65536)
    question = _HEADER.pack(number, 0x0100, 1, 0, 0, 0) + wire(name) + struct.pack(">HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(timeout_s)
        if source:
            link.bind((source, 0))
        link.connect(server)
        try:
            link.send(question)
            while True:
                raw = link.recv(4096)
                if raw[:2] == question[:2]:
                    return _reply(raw)
        except OSError:
            return None


def _reply(raw: bytes) -> Reply:
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(raw)
    at = _HEADER.size
    for _ in range(questions):
        at = _skip(raw, at) + 4
    addresses, cnames = [], []
    for _ in range(answers):
        at = _skip(raw, at)
        kind, _, _, size = struct.unpack_from(">HHIH", raw, at)
        at += 10
        if kind in (A, AAAA):
            addresses.append(str(ipaddress.ip_address(raw[at : at + size])))
        elif kind == CNAME:
            cnames.append(_name(raw, at))
        at += size
    return Reply(flags & 15, tuple(addresses), tuple(cnames))


def _skip(raw: bytes, at: int) -> int:
    while raw[at]:
        if raw[at] & 0xC0:
            return at + 2
        at += 1 + raw[at]
    return at + 1


def _name(raw: bytes, at: int) -> str:
    labels: list[str] = []
    while raw[at] and len(labels) < 128:
        if raw[at] & 0xC0:
            at = (raw[at] & 0x3F) << 8 | raw[at + 1]
            continue
        labels.append(raw[at + 1 : at + 1 + raw[at]].decode("ascii", "replace"))
        at += 1 + raw[at]
    return ".".join(labels)


class Upstream:
    """A resolver to which every name exists: A is 203.0.113.53, AAAA 2001:db8::53, others are empty.

    `asked` counts questions; `names` holds them. Use as a context manager.
    """

    A_TEXT = "203.0.113.53"

    def __init__(self, ttl_s: int = 300) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self._ttl = ttl_s
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = int(self._socket.getsockname()[1])
        self.names: list[str] = []

    @property
    def asked(self) -> int:
        return len(self.names)

    def __enter__(self) -> Upstream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(timeout=10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            raw, who = self._socket.recvfrom(4096)
            if not raw:
                return
            try:
                self._socket.sendto(self._answer(raw), who)
            except (IndexError, struct.error):
                continue

    def _answer(self, raw: bytes) -> bytes:
        end = _skip(raw, _HEADER.size)
        self.names.append(_name(raw, _HEADER.size))
        (kind,) = struct.unpack_from(">H", raw, end)
        data = {
            A: ipaddress.ip_address(self.A_TEXT).packed,
            AAAA: ipaddress.ip_address("2001:db8::53").packed,
            TXT: b"\x05plaza",
        }.get(kind, b"")
        answer = (
            struct.pack(">HHHIH", 0xC00C, kind, 1, self._ttl, len(data)) + data if data else b""
        )
        head = _HEADER.pack(int.from_bytes(raw[:2]), 0x8180, 1, bool(answer), 0, 0)
        return head + raw[_HEADER.size : end + 4] + answer
