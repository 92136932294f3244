"""The portal over TLS: a certificate of a demonstration CA, made here, and who really asks."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jsonschema import Draft202012Validator

from captive_portal.app import create_app
from captive_portal.secure import MAX_PER_PEER, SecureDoor, certificate_flaw
from captive_portal.secure_origin import SecureOrigin
from captive_portal.server import make_server, stop_server
from captive_portal.simulator import SimulatedNode, simulated_node
from captive_portal.site import SiteProfile
from captive_portal.wiring import sound

HOST = "wifi.example.org"
RFC_8908 = {
    "type": "object",
    "required": ["captive"],
    "properties": {
        "captive": {"type": "boolean"},
        "user-portal-url": {"type": "string", "pattern": "^https://"},
        "venue-info-url": {"type": "string", "pattern": "^https://"},
        "can-extend-session": {"type": "boolean"},
        "seconds-remaining": {"type": "integer", "minimum": 0},
        "bytes-remaining": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
}
"""RFC 8908 section 5, table 1; the URLs are https there ("MUST be accessed over TLS")."""


@dataclass
class Authority:
    """A demonstration CA that lives as long as a test."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA de demostración")])
        root = self._sign(
            self._name, self._key.public_key(), x509.BasicConstraints(True, 0), days=9
        )
        self.root = self.folder / "root.crt"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, *, days: int = 5, name: str = "portal") -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        leaf = self._sign(subject, key.public_key(), names, days=days)
        cert, private = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        cert.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, private

    def _sign(self, subject: x509.Name, public: Any, extension: Any, *, days: int) -> Any:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )


@dataclass
class Place:
    node: SimulatedNode
    door: SecureDoor
    origin: SecureOrigin
    trust: ssl.SSLContext
    inner_port: int

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Host": HOST, **headers})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPSConnection:
        raw = socket.create_connection(("127.0.0.1", self.door.port), 20)
        connection = http.client.HTTPSConnection(HOST, timeout=20)
        connection.sock = self.trust.wrap_socket(raw, server_hostname=HOST)
        return connection


def _trusting(ca: Authority) -> ssl.SSLContext:
    """As a phone does; Python 3.13 by itself asks for more than the simple authority of these tests says."""
    trust = ssl.create_default_context(cafile=str(ca.root))
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return trust


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    ca = Authority(tmp_path)
    cert, key = ca.issue(HOST)
    profile = replace(SiteProfile(), capport_url=f"https://{HOST}/captive-portal/api")
    node, origin = simulated_node(profile=profile), SecureOrigin()
    app = create_app(node.ports)
    app.wsgi_app = origin.around(app.wsgi_app)  # type: ignore[method-assign,assignment]  # Flask's way
    server = make_server(app, "127.0.0.1:0")
    threading.Thread(target=server.run, daemon=True).start()
    inner = ("127.0.0.1", int(server.effective_port))
    door = SecureDoor("127.0.0.1:0", cert, key, inner, origin)
    door.start()
    trust = _trusting(ca)
    yield Place(node, door, origin, trust, inner[1])
    door.stop()
    stop_server(server)


def test_the_api_answers_over_https_as_the_rfc_wants(place: Place) -> None:
    place.node.ports.gate.grant("127.0.0.1", 600)

    answer, body = place.get("/captive-portal/api", Accept="application/captive+json")

    document = json.loads(body)
    Draft202012Validator(RFC_8908).validate(document)
    assert answer.headers["Content-Type"] == "application/captive+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert document["captive"] is False
    assert document["user-portal-url"] == f"https://{HOST}/"
    assert document["seconds-remaining"] == 600


def test_the_whole_portal_works_there_and_knows_who_asks(place: Place) -> None:
    answer, body = place.get("/", **{"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "http"})

    assert answer.status == 200
    assert b"/es/conectar" in body
    assert place.node.ports.gate.look("127.0.0.1").ip == "127.0.0.1"  # type: ignore[union-attr]  # memory gate


def test_the_peer_is_told_in_memory_and_forgotten_with_the_connection() -> None:
    origin = SecureOrigin()
    seen: list[tuple[str, str]] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    ask = origin.around(app)
    inner = {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "4000", "wsgi.url_scheme": "http"}
    origin.opened(("127.0.0.1", 4000), "10.66.0.9")
    ask(dict(inner), None)
    origin.closed(("127.0.0.1", 4000))
    ask(dict(inner), None)

    assert seen == [("10.66.0.9", "https"), ("127.0.0.1", "http")]


def test_several_requests_go_over_one_connection(place: Place) -> None:
    connection = place.connect()
    for _ in range(3):
        connection.request("GET", "/es/servicios", headers={"Host": HOST})
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"</html>" in answer.read()
    connection.close()


def test_who_opens_too_many_connections_gets_no_more(place: Place) -> None:
    held = [place.connect() for _ in range(MAX_PER_PEER)]

    _eventually(lambda: not _is_served(place), "it was never full")
    for connection in held:
        connection.close()
    _eventually(lambda: _is_served(place), "it stayed full")


def _is_served(place: Place) -> bool:
    try:
        return place.get("/es/servicios")[0].status == 200
    except (OSError, http.client.HTTPException):
        return False


def _eventually(check: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + 30
    while not check():
        assert time.monotonic() < until, otherwise
        time.sleep(0.05)


def test_what_is_not_tls_is_hung_up_on(place: Place) -> None:
    with socket.create_connection(("127.0.0.1", place.door.port), 20) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        data = raw.recv(1000)
    assert not data.startswith(b"HTTP")
    assert place.get("/es/servicios")[0].status == 200


def test_a_new_certificate_is_taken_without_a_restart_and_a_bad_one_is_not(
    place: Place, tmp_path: Path
) -> None:
    before = _serial(place)
    (tmp_path / "portal.crt").write_text("rubbish")
    assert place.door.renew() is False
    assert _serial(place) == before

    ca = Authority(tmp_path)
    ca.issue(HOST)
    place.trust = _trusting(ca)

    assert place.door.renew() is True
    assert _serial(place) != before


def _serial(place: Place) -> str:
    connection = place.connect()
    shown = connection.sock.getpeercert()
    connection.close()
    assert shown is not None
    return str(shown["serialNumber"])


def test_a_certificate_is_judged_as_a_phone_would(tmp_path: Path) -> None:
    ca = Authority(tmp_path)
    cert, key = ca.issue(HOST)
    old = ca.issue(HOST, days=-1, name="old")
    wide = ca.issue("*.example.org", name="wide")
    now = datetime.now(UTC)

    assert certificate_flaw(cert, key, HOST, now) == ""
    assert certificate_flaw(*wide, HOST, now) == ""
    assert "not for" in certificate_flaw(*wide, "a.b.example.org", now)
    assert "not for" in certificate_flaw(cert, key, "other.example.org", now)
    assert "not valid" in certificate_flaw(*old, HOST, now)
    assert certificate_flaw(*old, HOST, None) == "", "a clock that nobody believes judges no date"
    assert "belong" in certificate_flaw(cert, wide[1], HOST, now)
    assert "read" in certificate_flaw(tmp_path / "none", key, HOST, now)


def test_without_a_sound_certificate_there_is_no_https_address(tmp_path: Path) -> None:
    ca = Authority(tmp_path)
    cert, key = ca.issue(HOST)
    clock = simulated_node().clock
    clock.moment = datetime.now(UTC)
    good = replace(
        SiteProfile(),
        capport_url=f"https://{HOST}/captive-portal/api",
        capport_listen="127.0.0.1:8443",
        capport_cert=Path(cert.name),
        capport_key=Path(key.name),
    )

    assert sound(good, tmp_path, clock) == good
    for bad in (
        replace(good, capport_cert=Path("none.crt")),
        replace(good, capport_url="https://other.example.org/captive-portal/api"),
        replace(good, capport_url=""),
        replace(good, capport_cert=None, capport_key=None),
    ):
        assert sound(bad, tmp_path, clock).capport_url == ""
    assert sound(SiteProfile(), tmp_path, clock) == SiteProfile()
