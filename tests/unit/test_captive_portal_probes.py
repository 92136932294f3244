"""Recorded probe requests, replayed: what opens each system's sheet, and what closes it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from captive_portal.app import create_app
from captive_portal.probes import PROBES
from captive_portal.simulator import SimulatedNode, simulated_node
from municipio.usecases.ports import LinkState

PORTAL = "http://127.0.0.1:8380/"


@dataclass(frozen=True)
class Replay:
    system: str
    host: str
    path: str
    agent: str
    status: int
    body: bytes
    method: str = "GET"


_APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
_CNA = "CaptiveNetworkSupport-481.100.4 wispr"
_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60 Safari"
_NM = b"NetworkManager is online\n"
REPLAYS = (
    Replay("Android 9-15", "connectivitycheck.gstatic.com", "/generate_204", _CHROME, 204, b""),
    Replay("Android fallback", "www.google.com", "/gen_204", _CHROME, 204, b""),
    Replay("Android other fallback", "play.googleapis.com", "/generate_204", _CHROME, 204, b""),
    Replay("Xiaomi", "connect.rom.miui.com", "/generate_204", "Dalvik/2.1.0", 204, b""),
    Replay("Huawei", "connectivitycheck.platform.hicloud.com", "/generate_204", "", 204, b""),
    Replay("Fire OS", "fireoscaptiveportal.com", "/generate_204", "", 204, b""),
    Replay("ChromeOS", "www.gstatic.com", "/generate_204", _CHROME, 204, b""),
    Replay("Edge", "edge.microsoft.com", "/captiveportal/generate_204", "", 204, b""),
    Replay("iOS 12-18", "captive.apple.com", "/hotspot-detect.html", _CNA, 200, _APPLE),
    Replay("macOS old", "www.apple.com", "/library/test/success.html", _CNA, 200, _APPLE),
    Replay(
        "Windows 10/11", "www.msftconnecttest.com", "/connecttest.txt", "Microsoft NCSI", 200,
        b"Microsoft Connect Test",
    ),
    Replay("Windows 7", "www.msftncsi.com", "/ncsi.txt", "Microsoft NCSI", 200, b"Microsoft NCSI"),
    Replay(
        "Firefox", "detectportal.firefox.com", "/canonical.html", "Mozilla/5.0 Firefox/128.0", 200,
        b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>',
    ),
    Replay(
        "Firefox IPv4", "detectportal.firefox.com", "/success.txt", "Mozilla/5.0 Firefox/128.0",
        200, b"success\n",
    ),
    Replay("GNOME", "nmcheck.gnome.org", "/check_network_status.txt", "", 200, _NM),
    Replay("Debian", "network-test.debian.org", "/nm", "", 200, _NM),
    Replay("Ubuntu", "connectivity-check.ubuntu.com", "/", "", 204, b""),
    Replay("Android HEAD", "www.google.com", "/generate_204", "", 204, b"", "HEAD"),
)  # fmt: skip


@pytest.fixture
def node() -> SimulatedNode:
    return simulated_node()


@pytest.fixture
def phone(node: SimulatedNode) -> FlaskClient:
    return create_app(node.ports).test_client()


@pytest.fixture(params=REPLAYS, ids=lambda r: r.system)
def replay(request: pytest.FixtureRequest) -> Replay:
    replayed: Replay = request.param
    return replayed


def _send(phone: FlaskClient, replay: Replay):  # type: ignore[no-untyped-def]  # a test response
    return phone.open(
        replay.path,
        method=replay.method,
        base_url=f"http://{replay.host}",
        headers={"User-Agent": replay.agent},
    )


def test_before_acceptance_every_probe_is_led_to_the_portal(
    phone: FlaskClient, replay: Replay
) -> None:
    answer = _send(phone, replay)

    assert answer.status_code == 302
    assert answer.headers["Location"] == PORTAL
    assert answer.headers["Cache-Control"] == "no-store"


def test_after_acceptance_every_probe_gets_its_exact_answer(
    node: SimulatedNode, phone: FlaskClient, replay: Replay
) -> None:
    node.ports.gate.grant("127.0.0.1", 600)

    answer = _send(phone, replay)

    assert (answer.status_code, answer.data) == (replay.status, replay.body)


def test_while_the_link_is_down_nobody_is_told_to_be_online(
    node: SimulatedNode, phone: FlaskClient, replay: Replay
) -> None:
    node.ports.gate.grant("127.0.0.1", 600)
    node.link.state = LinkState.OFFLINE

    assert _send(phone, replay).status_code == 302


def test_network_manager_also_reads_the_header(node: SimulatedNode, phone: FlaskClient) -> None:
    node.ports.gate.grant("127.0.0.1", 600)

    answer = phone.get("/check_network_status.txt", base_url="http://nmcheck.gnome.org")

    assert answer.headers["X-NetworkManager-Status"] == "online"


def test_every_system_of_the_table_is_replayed() -> None:
    replayed = {(r.host, r.path) for r in REPLAYS}

    assert {p.system for p in PROBES if any((h, p.path) in replayed for h in p.hosts)} == {
        p.system for p in PROBES
    }


@pytest.mark.parametrize("host", ["example.org", "10.66.0.99", "captive.apple.com.example"])
def test_any_other_page_is_led_to_the_portal_by_its_own_name(phone: FlaskClient, host: str) -> None:
    answer = phone.get("/es/", base_url=f"http://{host}")

    assert answer.status_code == 302
    assert answer.headers["Location"] == PORTAL


def test_a_form_sent_to_a_foreign_name_is_answered_with_511_and_goes_nowhere(
    node: SimulatedNode, phone: FlaskClient
) -> None:
    answer = phone.post("/es/conectar", base_url="http://example.org", data={"seal": "x"})

    assert answer.status_code == 511
    assert node.ledger.facts == []
