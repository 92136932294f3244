"""Photos on the wire: few at once, one a device, in memory; a refusal is a page and not a cut line."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from waitress.adjustments import Adjustments

from captive_portal.app import create_app
from captive_portal.secure_origin import SecureOrigin
from captive_portal.server import MAX_BODY, make_server, stop_server
from captive_portal.simulator import RunningClock, SimulatedNode, simulated_node
from captive_portal.uploads import (
    MAX_PHOTO_BODY,
    UPLOAD_S,
    Busy,
    TooLong,
    TooSlow,
    UploadParser,
    UploadSlots,
)

BOUNDARY = "frontera"


@dataclass
class Place:
    node: SimulatedNode
    server: Any
    port: int


@pytest.fixture
def place() -> Iterator[Place]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    node = simulated_node(listen=f"127.0.0.1:{port}", clock=RunningClock())
    server = make_server(create_app(node.ports), f"127.0.0.1:{port}")
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Place(node, server, port)
    stop_server(server)
    thread.join(10)
    assert not thread.is_alive()


def _head(place: Place, length: int, path: str = "/es/reporte") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{place.port}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _form(photo: bytes, **fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    file = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo_now"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    return b"".join(parts) + file + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


def _connect(place: Place) -> socket.socket:
    return socket.create_connection(("127.0.0.1", place.port), timeout=30)


def _answer(line: socket.socket) -> str:
    """The whole answer, to the end of its body."""
    got = b""
    while chunk := line.recv(65536):
        got += chunk
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            break
    return got.decode()


def _seal(place: Place) -> str:
    with _connect(place) as line:
        line.sendall(f"GET /es/reporte HTTP/1.1\r\nHost: 127.0.0.1:{place.port}\r\n\r\n".encode())
        found = re.search(r'name="seal" value="([^"]+)"', _answer(line))
    assert found is not None
    return found[1]


def _until(true: Any) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_photo_of_megabytes_arrives_whole(place: Place) -> None:
    out = io.BytesIO()
    Image.effect_noise((2400, 1800), 90).convert("RGB").save(out, "JPEG", quality=95)
    body = _form(
        out.getvalue(), seal=_seal(place), service_code="bache", colonia="Centro",
        street="Hidalgo", description="Hay un hoyo muy hondo.",
    )  # fmt: skip
    assert len(body) > 2_000_000

    with _connect(place) as line:
        line.sendall(_head(place, len(body)) + body)
        answer = _answer(line)

    assert answer.startswith("HTTP/1.1 303")
    assert len(place.node.attachments.kept) == 1
    _until(lambda: not place.server.upload_slots._busy)


def test_a_photo_that_is_too_long_is_read_to_its_end_and_refused_in_words(place: Place) -> None:
    body = b"x" * (MAX_PHOTO_BODY + 1)

    with _connect(place) as line:
        line.sendall(_head(place, len(body)) + body)
        answer = _answer(line)

    assert answer.startswith("HTTP/1.1 413")
    assert "La foto es demasiado grande" in answer
    assert place.server.upload_slots._busy == set()


def test_what_says_it_is_enormous_is_cut_at_once(place: Place) -> None:
    with _connect(place) as line:
        line.sendall(_head(place, 10**12))
        assert _answer(line).startswith("HTTP/1.1 413")


def test_one_device_sends_one_photo_at_a_time(place: Place) -> None:
    body = _form(b"x" * 100_000)
    with _connect(place) as first, _connect(place) as second:
        first.sendall(_head(place, len(body)) + body[:1000])
        _until(lambda: place.server.upload_slots._busy)

        second.sendall(_head(place, len(body)) + body)
        refused = _answer(second)
        first.sendall(body[1000:])
        accepted = _answer(first)

    assert refused.startswith("HTTP/1.1 503")
    assert "Ahora mismo llegan otras fotos" in refused
    assert accepted.startswith("HTTP/1.1 400"), "it had no seal, but it was read"


def test_a_phone_that_walks_away_gives_its_place_back(place: Place) -> None:
    with _connect(place) as line:
        line.sendall(_head(place, 100_000) + b"x" * 1000)
        _until(lambda: place.server.upload_slots._busy)

    _until(lambda: not place.server.upload_slots._busy)


@pytest.mark.parametrize("path", ["/es/conectar", "/es/", "/es/reporte/listo/X", "/"])
def test_no_other_address_takes_a_large_body(place: Place, path: str) -> None:
    with _connect(place) as line:
        line.sendall(_head(place, MAX_BODY + 1, path))
        assert _answer(line).startswith("HTTP/1.1 413")
    assert place.server.upload_slots._busy == set()


def test_devices_behind_the_secure_listener_are_told_apart(place: Place) -> None:
    """Their connections all come from this machine; the listener hands over who they are."""
    origin = SecureOrigin()
    place.server.peer_of = origin.peer_of
    body = _form(b"x" * 100_000)
    with _connect(place) as first, _connect(place) as second:
        origin.opened(first.getsockname(), "10.66.0.5")
        origin.opened(second.getsockname(), "10.66.0.6")
        for line in (first, second):
            line.sendall(_head(place, len(body)) + body[:1000])

        _until(lambda: place.server.upload_slots._busy == {"10.66.0.5", "10.66.0.6"})
        for line in (first, second):
            line.sendall(body[1000:])
            assert _answer(line).startswith("HTTP/1.1 400"), "it had no seal, but it was read"


# --- the parser, byte by byte -----------------------------------------------------------------


@dataclass
class Watch:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def _parser(slots: UploadSlots, who: str = "10.0.0.2", watch: Watch | None = None) -> UploadParser:
    adj = Adjustments(max_request_body_size=MAX_BODY, inbuf_overflow=MAX_BODY + 1)
    return UploadParser(adj, who, slots, watch or Watch())


def _photo_head(length: int) -> bytes:
    return (
        "POST /en/foto HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_three_strangers_fill_the_slots_and_closing_frees_them() -> None:
    slots = UploadSlots(3)
    parsers = [_parser(slots, f"10.0.0.{n}") for n in range(4)]
    for parser in parsers:
        parser.received(_photo_head(500_000))

    assert [type(p._refusal) for p in parsers] == [type(None)] * 3 + [Busy]
    for parser in parsers:
        parser.close()
        parser.close()
    assert slots._busy == set()


def test_a_large_body_stays_in_memory() -> None:
    parser = _parser(UploadSlots())
    parser.received(_photo_head(MAX_PHOTO_BODY - 1))
    for _ in range(MAX_PHOTO_BODY // 65536):
        parser.received(b"x" * 65536)

    buffer = parser.body_rcv.getbuf()
    assert len(buffer) > 11_000_000
    assert not buffer.overflowed, "waitress would have made a temporary file"


def test_who_drips_is_told_that_a_minute_is_over() -> None:
    watch = Watch()
    parser = _parser(UploadSlots(), watch=watch)
    parser.received(_photo_head(500_000))
    watch.now = UPLOAD_S + 1

    parser.received(b"x")

    assert parser.completed
    assert isinstance(parser.error, TooSlow)


@pytest.mark.parametrize("cut", [1, 7, 60, 4096])
def test_a_refused_body_is_thrown_away_in_any_pieces(cut: int) -> None:
    slots = UploadSlots(0)
    parser = _parser(slots)
    wire = _photo_head(10_000) + b"x" * 10_000 + b"GET / HTTP/1.1\r\n\r\n"
    used = 0
    while not parser.completed:
        used += parser.received(wire[used : used + cut])

    assert isinstance(parser.error, Busy)
    assert used == len(_photo_head(10_000)) + 10_000, "the next request is not eaten"
    assert len(parser.body_rcv.getbuf()) == 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"POST /es/foto HTTP/1.1\r\n", b"POST /en/reporte HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n",
             b"Content-Type: multipart/form-data; boundary=b\r\n", b"Content-Length: 50\r\n",
             b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n",
             b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"\r\n", b"5\r\nhello\r\n",
             b"0\r\n\r\n", b"x" * 300, b"\xff\x00\n", b"--b\r\n"]
        ) | st.binary(max_size=40),
        max_size=14,
    ),
    st.integers(0, 3),
)  # fmt: skip
def test_whatever_arrives_the_parser_neither_raises_nor_keeps_a_slot(
    pieces: list[bytes], most: int
) -> None:
    slots = UploadSlots(most)
    parser = _parser(slots)
    for piece in pieces:
        rest = piece
        while rest and not parser.completed:
            used = parser.received(rest)
            assert 0 <= used <= len(rest)
            if used == 0:
                break
            rest = rest[used:]

    parser.close()
    assert slots._busy == set()


def test_a_body_too_long_is_not_kept_while_it_is_read() -> None:
    parser = _parser(UploadSlots())
    parser.received(_photo_head(MAX_PHOTO_BODY))
    while not parser.completed:
        parser.received(b"x" * 65536)

    assert isinstance(parser.error, TooLong)
    assert len(parser.body_rcv.getbuf()) == 0
