"""The gate for real: kernel, DHCP, DNS, portal and a browser, in namespaces that stand for a park."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from captive_portal.gate.visits import GateTrouble, Visit

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
INTERNET = "203.0.113.10"
GATEWAY = "10.66.0.1"
PAGE = "http://hola.example.org/"


def test_dhcp_gives_an_address_the_gateway_and_truthful_names(town: Any) -> None:
    assert town.lease["new_ip_address"].startswith("10.66.0.")
    assert town.lease["new_routers"] == GATEWAY
    assert town.lease["new_domain_name_servers"] == GATEWAY


def test_before_acceptance_port_80_leads_to_the_portal_and_the_connection_is_closed(
    town: Any,
) -> None:
    answer = town.from_phone("get", "http://connectivitycheck.gstatic.com/generate_204")

    assert answer["status"] == 302
    assert answer["location"] == f"http://{GATEWAY}/"
    assert answer["connection"] == "close"


def test_before_acceptance_port_443_is_reset_at_once(town: Any) -> None:
    answer = town.from_phone("tcp", INTERNET, "443")

    assert answer["error"] == "ConnectionRefusedError"
    assert answer["seconds"] < 1


@pytest.mark.parametrize(("kind", "port"), [("tcp", "8081"), ("udp", "443"), ("udp", "5000")])
def test_before_acceptance_nothing_else_passes(town: Any, kind: str, port: str) -> None:
    assert not town.from_phone(kind, INTERNET, port)["ok"]


def test_a_guest_reaches_no_other_port_of_the_node(town: Any) -> None:
    answer = town.from_phone("tcp", GATEWAY, "22")

    assert answer["error"] == "ConnectionRefusedError"


def test_one_tap_in_a_browser_and_the_internet_is_there(town: Any, tmp_path: Path) -> None:
    before = len(town.facts())

    seen = town.from_phone("join", PAGE, str(tmp_path / "joined.png"), timeout=120)

    assert seen["first_url"] == f"http://{GATEWAY}/"
    assert seen["joined_url"].endswith("/en-linea"), seen
    assert seen["then_url"] == PAGE
    assert seen["then_title"] == "Internet"
    assert town.from_phone("udp", INTERNET, "5000")["echo"] == "hola"
    (fact,) = map(json.loads, town.facts()[before:])
    assert fact["type"] == "terms.accepted"
    assert set(fact["data"]) == {"terms_version", "terms_sha256", "language", "device"}


def test_neither_address_of_the_phone_is_in_the_facts(town: Any) -> None:
    text = "".join(town.facts())

    assert "terms.accepted" in text
    assert town.mac() not in text
    assert town.mac().replace(":", "") not in text
    assert town.phone_ip not in text


def test_after_revoking_a_running_download_stops_and_new_ones_do_not_start(town: Any) -> None:
    town.gate.grant(town.phone_ip, 600)
    download = town.start_on_phone("drip", f"http://{INTERNET}/drip", "5")
    time.sleep(1.5)

    town.gate.revoke(town.phone_ip)

    result = _result(download)
    assert result["bytes"] > 0
    assert result["lasted_s"] < 3
    assert town.from_phone("tcp", INTERNET, "443")["error"] == "ConnectionRefusedError"


def test_the_kernel_ends_a_visit_when_its_time_is_over(town: Any) -> None:
    town.gate.grant(town.phone_ip, 3)
    download = town.start_on_phone("drip", f"http://{INTERNET}/drip", "7")
    assert town.from_phone("tcp", INTERNET, "443")["ok"]

    result = _result(download)

    assert result["bytes"] > 0
    assert result["lasted_s"] < 5
    assert town.from_phone("get", PAGE)["status"] == 302


def test_a_visit_survives_a_crash_of_the_gate(town: Any) -> None:
    town.gate.grant(town.phone_ip, 600)
    town.gate_process.send_signal(signal.SIGKILL)
    town.gate_process.wait(5)
    assert isinstance(town.gate.look(town.phone_ip), GateTrouble)

    town.start_gate()

    visit = town.gate.look(town.phone_ip)
    assert isinstance(visit, Visit)
    assert 590 <= visit.seconds_left <= 600
    assert town.from_phone("get", PAGE)["body"].startswith("<!doctype html><title>Internet")


def test_a_static_address_without_dhcp_does_not_pass(town: Any) -> None:
    _set_address(town.phone, "10.66.0.222")
    try:
        assert not town.from_phone("tcp", INTERNET, "8081")["ok"]
        assert town.from_phone("get", f"http://{INTERNET}/")["status"] == 302
    finally:
        _set_address(town.phone, town.phone_ip)


def test_an_address_that_is_not_on_the_guest_side_is_never_let_in(town: Any) -> None:
    answer = town.gate.grant("198.51.100.7", 60)

    assert isinstance(answer, GateTrouble)


def _set_address(namespace: str, address: str) -> None:
    for words in (
        ("addr", "flush", "dev", "wlan0"),
        ("addr", "add", f"{address}/24", "dev", "wlan0"),
        ("route", "replace", "default", "via", GATEWAY),
    ):
        subprocess.run(["ip", "-n", namespace, *words], check=True)


def _result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=30)
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result
