"""`plaza portal run --site`: a site's rules and its certificate, as a technician starts them."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "wifi.example.org"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's data folder with the demonstration city's content."""
    folder = tmp_path_factory.mktemp("site")
    data = folder / "node"
    _run("central", "demo-data", "--db", f"sqlite:///{folder}/city.sqlite",
         "--content", str(folder / "content"), "--accounts", "4")  # fmt: skip
    key = next(folder.glob("city-keys/*.pub*"))
    _run("plaza", "node", "init", "--data", str(data),
         "--central", "http://127.0.0.1:8311", "--city-key", str(key))  # fmt: skip
    _run("plaza", "content", "import", str(folder / "content"), "--data", str(data))
    _certificate(data / "keys")
    return data


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(port: int, site: Path) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            [sys.executable, "-P", "-m", "plaza", "portal", "run", "--data", str(data),
             "--gate", "memory", "--site", str(site), "--listen", f"127.0.0.1:{port}"],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        running.append(program)
        return program

    yield run
    for program in running:
        if program.poll() is None:
            program.kill()
        program.communicate(timeout=20)


def _run(*words: str) -> None:
    argv = [sys.executable, "-P", "-m", *words]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)


def _certificate(folder: Path) -> None:
    """Its own authority: enough for a client that was told to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "portal.crt").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "portal.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _eventually(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            assert time.monotonic() < until, "it never listened"
            time.sleep(0.1)


def test_the_rules_and_the_certificate_of_a_site_are_in_force(
    data: Path, tmp_path: Path, start: Start
) -> None:
    port, secure = _free_port(), _free_port()
    site = tmp_path / "site.toml"
    site.write_text(
        f'name = "Parque de prueba (demostración)"\nurl = "http://{HOST}:{port}"\n'
        f'[visit]\nsession_s = 900\ncool_down_s = 60\n[capport]\nlisten = "127.0.0.1:{secure}"\n'
        f'url = "https://{HOST}:{secure}/captive-portal/api"\n'
        'cert = "keys/portal.crt"\nkey = "keys/portal.key"\n'
    )
    program = start(port, site)
    _eventually(secure)

    page = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    page.request("GET", "/es/", headers={"Host": f"{HOST}:{port}"})
    welcome = page.getresponse().read().decode()
    page.close()
    raw = socket.create_connection(("127.0.0.1", secure), 30)
    api = http.client.HTTPSConnection(HOST, timeout=30)
    trust = ssl.create_default_context(cafile=str(data / "keys/portal.crt"))
    api.sock = trust.wrap_socket(raw, server_hostname=HOST)
    api.request("GET", "/captive-portal/api", headers={"Host": f"{HOST}:{secure}"})
    document = json.loads(api.getresponse().read())
    api.close()

    assert "Parque de prueba (demostración)" in welcome
    assert "La visita dura 15 min." in welcome
    assert document["captive"] is True
    assert document["user-portal-url"] == f"https://{HOST}:{secure}/"
    assert document["can-extend-session"] is False
    program.send_signal(signal.SIGTERM)
    assert program.wait(30) == 0


def test_a_certificate_for_another_name_leaves_the_portal_open_without_https(
    data: Path, tmp_path: Path, start: Start
) -> None:
    port, secure = _free_port(), _free_port()
    site = tmp_path / "site.toml"
    site.write_text(
        f'[capport]\nlisten = "127.0.0.1:{secure}"\n'
        'url = "https://other.example.org/captive-portal/api"\n'
        'cert = "keys/portal.crt"\nkey = "keys/portal.key"\n'
    )
    program = start(port, site)
    _eventually(port)

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", secure), 5)
    program.terminate()
    _, errors = program.communicate(timeout=30)
    assert b"not for other.example.org" in errors


def test_a_mistake_in_the_file_is_one_line_that_names_it(tmp_path: Path, start: Start) -> None:
    site = tmp_path / "site.toml"
    site.write_text("[visit]\nsesion_s = 60\n")

    program = start(_free_port(), site)
    _, errors = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "line 2: «visit.sesion_s»" in errors.decode()
    assert "«visit.session_s»" in errors.decode()
    assert b"Traceback" not in errors
