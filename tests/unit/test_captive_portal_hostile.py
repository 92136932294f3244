"""Whatever a network can send to the portal: a small page in the visitor's language, a counter, no trace."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal.app import create_app
from captive_portal.hosts import NOBODY, clean_host
from captive_portal.server import MAX_PER_PEER, make_server, stop_server
from captive_portal.simulator import SimulatedNode, simulated_node

OWN = "127.0.0.1:8380"
MODEST = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADER = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=200
)
HOSTS = st.one_of(
    st.just(OWN),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80),
    st.sampled_from(
        ["[::1]:8380", "127.0.0.1", "127.0.0.1:8380:1", "a@b", "..", "captive.apple.com:x",
         "localhost:8380", "EXAMPLE.org.", "%00", "127.0.0.1:8380.evil.example"]
    ),
)  # fmt: skip
PATHS = st.one_of(
    st.text(max_size=60).map(lambda text: "/" + quote(text)),
    st.sampled_from(
        ["/", "/es/", "/en/", "/generate_204", "/hotspot-detect.html", "/captive-portal/api",
         "/c/luna-mesa", "/es/codigo?codigo=%F0%9F%98%80", "/es/../en/", "//es/", "/es/en-linea",
         "/%00", "/es/tramites/%2e%2e", "/c/" + "x" * 400]
    ),
)  # fmt: skip
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])


@pytest.fixture(scope="module")
def node() -> SimulatedNode:
    return simulated_node()


@pytest.fixture(scope="module")
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


@given(HOSTS, PATHS, METHODS, HEADER, HEADER)
@MODEST
def test_any_request_gets_a_small_answer(
    node: SimulatedNode,
    phone: FlaskClient,
    host: str,
    path: str,
    method: str,
    agent: str,
    language: str,
) -> None:
    before = node.ports.door.counters.read()

    answer = phone.open(
        path,
        method=method,
        headers={"Host": host, "User-Agent": agent, "Accept-Language": language},
    )

    after = node.ports.door.counters.read()
    assert answer.status_code < 500 or answer.status_code == 511
    assert after["our_fault"] == before["our_fault"]
    assert len(answer.data) < 15 * 1024
    if answer.mimetype == "text/html" and answer.status_code in (400, 404, 405, 413):
        bad = ("bad_request", "bad_form")
        assert sum(after[name] - before[name] for name in bad) == 1
        assert (
            b'<html lang="es"' in answer.data
            or b'<html lang="en"' in answer.data
            or not answer.data
        )
    if agent.strip() and len(agent) > 5:
        assert agent.encode() not in answer.data


@given(
    st.sampled_from(["/es/conectar", "/en/conectar", "/es/codigo", "/es/mi-codigo"]),
    st.one_of(
        st.binary(max_size=400),
        st.dictionaries(
            st.sampled_from(["seal", "terms", "codigo", "x"]), st.text(max_size=120), max_size=4
        ),
    ),
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
         "multipart/form-data", "application/json", ";;;", ""]
    ),
)  # fmt: skip
@MODEST
def test_any_form_opens_nothing_and_breaks_nothing(
    node: SimulatedNode, phone: FlaskClient, path: str, body: bytes | dict[str, str], kind: str
) -> None:
    before = node.ports.door.counters.read()["our_fault"]
    if isinstance(body, dict):
        encoded = {k: v.encode("utf-8", "surrogatepass").decode("latin-1") for k, v in body.items()}
        answer = phone.post(path, base_url=f"http://{OWN}", data=encoded)
    else:
        answer = phone.post(path, base_url=f"http://{OWN}", data=body, content_type=kind)

    assert answer.status_code in (303, 400, 413, 422, 429)
    assert node.ports.door.counters.read()["our_fault"] == before
    assert node.ports.gate.visits() == ()
    assert node.ledger.facts == []


@pytest.mark.parametrize(
    ("host", "clean"),
    [
        ("127.0.0.1:8380", "127.0.0.1:8380"),
        ("Wifi.Example.org.", "Wifi.Example.org."),
        ("[fd66::1]:80", "[fd66::1]:80"),
        ("[fd66::1]", "[fd66::1]"),
        ("", NOBODY),
        ("a b", NOBODY),
        ("a@b", NOBODY),
        ("x:0", NOBODY),
        ("x:99999", NOBODY),
        ("a..b", NOBODY),
        ("<u>", NOBODY),
        ("x" * 300, NOBODY),
        ("w" * 200 + "%", NOBODY),  # a pattern that backtracks would never end here
        ("w-" * 120 + ".%", NOBODY),
    ],
)
def test_a_host_is_a_name_or_nobodys(host: str, clean: str) -> None:
    assert clean_host(host) == clean


@pytest.fixture(scope="module")
def port(node: SimulatedNode) -> Iterator[int]:
    server = make_server(create_app(node.ports), "127.0.0.1:0", 2, node.ports.door.counters)
    threading.Thread(target=server.run, daemon=True).start()
    yield int(server.effective_port)
    stop_server(server)


def _exchange(port: int, raw: bytes) -> bytes:
    """Send, stop sending, and read until the far end closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        try:
            peer.sendall(raw)
            peer.shutdown(socket.SHUT_WR)
            while data := peer.recv(65536):
                received += data
        except OSError:
            pass
    return received


_GOOD = b"POST /es/conectar HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nContent-Length: 6\r\n\r\nseal=x"


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A request with a piece cut out and another put in."""
    start = draw(st.integers(0, len(_GOOD)))
    end = draw(st.integers(start, len(_GOOD)))
    return _GOOD[:start] + draw(st.binary(max_size=40)) + _GOOD[end:]


@given(st.one_of(mangled(), st.binary(min_size=1, max_size=300)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_on_the_wire_end_in_an_answer_or_a_closed_connection(
    node: SimulatedNode, port: int, raw: bytes
) -> None:
    before = node.ports.door.counters.read()["our_fault"]

    received = _exchange(port, raw)

    assert received == b"" or received.startswith(b"HTTP/1.")
    assert b"Traceback" not in received
    assert len(received) < 40 * 1024
    assert node.ports.door.counters.read()["our_fault"] == before


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nContent-Length: 4\r\n"
         b"Content-Length: 5\r\n\r\nabcd", b"400"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    ],
)  # fmt: skip
def test_misuse_of_http_is_answered_in_two_languages_and_counted(
    node: SimulatedNode, port: int, raw: bytes, status: bytes
) -> None:
    before = node.ports.door.counters.read()["bad_request"]

    received = _exchange(port, raw)

    assert received.split(b" ", 2)[1] == status
    assert "No se guardó nada.".encode() in received
    assert b'lang="en"' in received
    assert node.ports.door.counters.read()["bad_request"] == before + 1


def test_clients_that_never_finish_a_request_keep_nobody_out(port: int) -> None:
    """Slow loris: hundreds of half requests; the loop holds them without a thread each."""
    slow = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(300)]
    for n, peer in enumerate(slow):
        peer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nX-Slow: "[: 20 + n % 30])

    received = _exchange(
        port, b"GET /es/servicios HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nConnection: close\r\n\r\n"
    )

    assert received.startswith(b"HTTP/1.1 200")
    for peer in slow:
        peer.close()


def test_one_device_cannot_hold_every_connection(port: int) -> None:
    """Addresses of the loopback network stand for guests."""

    def connect(ip: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), 30, source_address=(ip, 0))

    def answer(ip: str) -> bytes:
        """The first bytes of a page; none when the connection is closed or reset."""
        try:
            with connect(ip) as peer:
                peer.sendall(b"GET /es/servicios HTTP/1.0\r\nHost: 127.0.0.1:8380\r\n\r\n")
                return peer.recv(100)
        except OSError:
            return b""

    greedy = [connect("127.66.0.9") for _ in range(MAX_PER_PEER)]
    for peer in greedy:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert answer("127.66.0.9") == b""
    assert answer("127.66.0.10").startswith(b"HTTP/1.0 200")
    for peer in greedy:
        peer.close()

    until = time.monotonic() + 30
    while not answer("127.66.0.9").startswith(b"HTTP/1.0 200"):
        assert time.monotonic() < until, "it is never forgiven"
