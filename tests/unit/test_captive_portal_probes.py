"""Each system's question replayed over a socket: what opens its sheet, and what closes it."""

from __future__ import annotations

import re
import socket
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from captive_portal.app import create_app
from captive_portal.probes import PROBES, find_probe
from captive_portal.server import make_server, stop_server
from captive_portal.simulator import SimulatedNode, simulated_node
from municipio.usecases.ports import LinkState

PORTAL = "http://127.0.0.1:8380/"
TABLE = tomllib.loads((Path(__file__).parents[1] / "golden/probes.toml").read_text("utf-8"))
SHEETS = {
    "Android": "Mozilla/5.0 (Linux; Android 14; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/126.0 Mobile Safari/537.36",
    "iOS": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Mobile/15E148",
    "macOS": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Edg/126.0",
    "Kindle": "Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ Kindle/3.0+",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes


@dataclass(frozen=True)
class Portal:
    node: SimulatedNode
    port: int

    def send(self, raw: bytes) -> Answer:
        """One request on its own connection; the answer until the far end closes it."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as peer:
            peer.sendall(raw)
            received = b""
            while data := peer.recv(65536):
                received += data
        head, _, body = received.partition(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        return Answer(int(first.split()[1]), BytesParser().parsebytes(rest), body)

    def page(self, method: str, path: str, agent: str, form: str = "") -> Answer:
        """As a sheet asks: its agent, no cookies, the form url-encoded by hand."""
        return self.send(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:8380\r\nUser-Agent: {agent}\r\n"
            "Accept: text/html\r\nAccept-Language: es-MX\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(form)}\r\n\r\n{form}".encode()
        )


@pytest.fixture(scope="module")
def served() -> Iterator[Portal]:
    node = simulated_node()
    server = make_server(create_app(node.ports), "127.0.0.1:0")
    threading.Thread(target=server.run, daemon=True).start()
    yield Portal(node, int(server.effective_port))
    stop_server(server)


@pytest.fixture
def portal(served: Portal) -> Portal:
    """Nobody is connected, the link works."""
    served.node.ports.gate.revoke("127.0.0.1")
    served.node.link.state = LinkState.ONLINE
    return served


@pytest.fixture(params=TABLE["probe"], ids=lambda probe: str(probe["system"]))
def probe(request: pytest.FixtureRequest) -> dict[str, Any]:
    replayed: dict[str, Any] = request.param
    return replayed


def _wire(probe: dict[str, Any]) -> bytes:
    lines = str(probe["request"]).strip().splitlines()
    return "\r\n".join([*lines, "", ""]).encode()


def test_before_acceptance_every_probe_is_led_to_the_portal(
    portal: Portal, probe: dict[str, Any]
) -> None:
    answer = portal.send(_wire(probe))

    assert answer.status == 302
    assert answer.headers["Location"] == PORTAL
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Connection"] == "close", "a kept connection would starve others"


def test_after_acceptance_every_probe_gets_its_exact_answer(
    portal: Portal, probe: dict[str, Any]
) -> None:
    portal.node.ports.gate.grant("127.0.0.1", 600)

    answer = portal.send(_wire(probe))

    assert answer.status == probe["status"]
    if "contains" in probe:
        assert str(probe["contains"]).encode() in answer.body
    else:
        assert answer.body == str(probe.get("body", "")).encode()


def test_while_the_link_is_down_nobody_is_told_to_be_online(
    portal: Portal, probe: dict[str, Any]
) -> None:
    portal.node.ports.gate.grant("127.0.0.1", 600)
    portal.node.link.state = LinkState.OFFLINE

    assert portal.send(_wire(probe)).status == 302


@pytest.mark.parametrize("system", SHEETS)
def test_in_every_sheet_one_tap_is_enough_without_cookies_or_scripts(
    portal: Portal, system: str
) -> None:
    agent = SHEETS[system]
    page = portal.page("GET", "/", agent)
    html = page.body.decode()
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)
    form = "&".join(f"{name}={value}" for name, value in fields)

    tapped = portal.page("POST", "/es/conectar", agent, form)
    joined = portal.page("GET", tapped.headers["Location"], agent)

    assert page.status == 200
    assert tapped.status == 303
    assert "Ya puede navegar" in joined.body.decode()
    sheet = re.search(r'href="(/portal.css[^"]*)"', html)
    assert sheet is not None
    assert len(page.body) + len(portal.page("GET", sheet[1], agent).body) + len(form) < 15 * 1024
    for answer in (page, tapped, joined):
        assert answer.headers["Set-Cookie"] is None
        assert b"<script" not in answer.body


def test_network_manager_also_reads_the_header(portal: Portal) -> None:
    portal.node.ports.gate.grant("127.0.0.1", 600)

    answer = portal.send(
        b"GET /check_network_status.txt HTTP/1.1\r\nHost: nmcheck.gnome.org\r\n\r\n"
    )

    assert answer.headers["X-NetworkManager-Status"] == "online"


def test_every_system_of_the_code_is_replayed() -> None:
    replayed = {
        found.system
        for probe in TABLE["probe"]
        if (found := find_probe(*_asked(probe))) is not None
    }

    assert replayed == {p.system for p in PROBES}


def _asked(probe: dict[str, Any]) -> tuple[str, str]:
    path = str(probe["request"]).split()[1].partition("?")[0]
    host = re.search(r"^Host: (\S+)$", str(probe["request"]), re.MULTILINE)
    assert host is not None
    return host[1], path


def test_probes_and_other_pages_are_counted(portal: Portal) -> None:
    def counts() -> dict[str, int]:
        return portal.node.ports.door.counters.read()

    before = counts()
    portal.send(b"GET /generate_204 HTTP/1.1\r\nHost: www.google.com\r\n\r\n")
    portal.send(b"GET /news HTTP/1.1\r\nHost: example.org\r\n\r\n")
    portal.node.ports.gate.grant("127.0.0.1", 600)
    portal.send(b"GET /generate_204 HTTP/1.1\r\nHost: www.google.com\r\n\r\n")

    changed = {k: n - before[k] for k, n in counts().items() if n != before[k]}
    assert changed == {"probe_held": 1, "redirected": 1, "probe_passed": 1}


@pytest.mark.parametrize("host", ["example.org", "10.66.0.99", "captive.apple.com.example"])
def test_any_other_page_is_led_to_the_portal_by_its_own_name(portal: Portal, host: str) -> None:
    answer = portal.send(f"GET /es/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    assert answer.status == 302
    assert answer.headers["Location"] == PORTAL


def test_a_form_sent_to_a_foreign_name_is_answered_with_511_and_goes_nowhere(
    portal: Portal,
) -> None:
    before = len(portal.node.ledger.facts)
    answer = portal.send(
        b"POST /es/conectar HTTP/1.1\r\nHost: example.org\r\nContent-Length: 6\r\n\r\nseal=x"
    )

    assert answer.status == 511
    assert len(portal.node.ledger.facts) == before
