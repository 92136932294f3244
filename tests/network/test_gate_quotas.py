"""The kernel ends visits: by bytes and by time, both directions, IPv4 and IPv6, also without the gate."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from captive_portal.gate.visits import EndCause, EndedVisit, GateStats, Limits, Visit

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]
FAR = {"IPv4": "203.0.113.10", "IPv6": "2001:db8:1::10"}
URL = {"IPv4": "http://203.0.113.10", "IPv6": "http://[2001:db8:1::10]"}
MIB = 1 << 20


@pytest.mark.parametrize("family", FAR)
def test_a_running_download_is_cut_when_its_bytes_are_used_up(lab: Any, family: str) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(bytes=3 * MIB))

    seen = lab.ann.do("fetch", URL[family] + "/big", "20")

    assert not seen["whole"]
    assert 2 * MIB < seen["bytes"] <= 3 * MIB
    look = lab.gate.look(lab.ann.ip)
    assert isinstance(look, Visit)
    assert not look.is_open
    (told,) = lab.gate.ended()
    assert isinstance(told, EndedVisit)
    assert told.cause is EndCause.BYTES
    assert told.bytes >= 3 * MIB


def test_uploads_and_downloads_use_up_the_same_bytes(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(bytes=3 * MIB))
    assert lab.ann.do("push", FAR["IPv4"], "8082", str(2 * MIB))["taken"] == 2 * MIB

    seen = lab.ann.do("fetch", URL["IPv6"] + "/big", "20")

    assert 0 < seen["bytes"] < MIB
    assert not lab.ann.do("tcp", FAR["IPv4"], "443")["ok"]


def test_what_the_node_serves_does_not_count_and_stays_open(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(bytes=64 * 1024))
    for _ in range(20):
        assert lab.ann.do("get", "http://10.66.0.1/es/")["status"] == 200
    before = lab.gate.look(lab.ann.ip)

    lab.ann.do("fetch", URL["IPv4"] + "/big", "20")

    assert before.bytes_used < 1024
    assert lab.ann.do("get", URL["IPv4"] + "/")["location"] == "http://10.66.0.1/"
    assert lab.ann.do("get", "http://10.66.0.1/es/")["status"] == 200


@pytest.mark.parametrize("family", FAR)
def test_a_running_download_is_cut_when_its_time_is_over_even_if_the_gate_is_dead(
    lab: Any, family: str
) -> None:
    lab.gate.grant(lab.ann.ip, 3)
    download = lab.ann.start("fetch", URL[family] + "/drip", "20")
    _kill(lab)
    try:
        seen = _result(download)

        assert seen["bytes"] > 0
        assert seen["lasted_s"] < 3.2
        assert not lab.ann.do("tcp", FAR[family], "443")["ok"]
    finally:
        lab.start_gate()
    assert lab.gate.ended()[0].cause is EndCause.TIME


def test_revoking_stops_a_rain_of_datagrams_and_forgets_the_connections(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600)
    rain = lab.ann.start("rain", FAR["IPv4"], "5001", "4")
    _until(lambda: "dport=5001" in lab.in_node("conntrack", "-L", "-p", "udp"))

    lab.gate.revoke(lab.ann.ip)
    revoked = time.monotonic()

    assert "dport=5001" not in lab.in_node("conntrack", "-L", "-p", "udp")
    seen = _result(rain)
    assert seen["datagrams"] > 0
    assert seen["last"] - revoked < 1


def test_a_rate_holds_in_each_direction(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(rate_down_kib_s=256, rate_up_kib_s=256))

    down = lab.ann.do("fetch", URL["IPv4"] + "/big", "3")
    up = lab.ann.do("push", FAR["IPv4"], "8082", str(640 * 1024))

    assert 128 * 1024 < down["bytes"] <= (3 + 2) * 256 * 1024
    assert up["taken"] == 640 * 1024
    assert up["seconds"] > 1


def test_a_killed_gate_comes_back_with_every_visit_and_its_bytes(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(bytes=50 * MIB))
    lab.ann.do("fetch", URL["IPv4"] + "/big", "20")
    download = lab.ann.start("fetch", URL["IPv6"] + "/drip", "4")
    before = lab.gate.look(lab.ann.ip)
    _kill(lab)

    lab.start_gate()

    after = lab.gate.look(lab.ann.ip)
    assert before.bytes_used > 40 * MIB
    assert after.device == before.device, "and renames nobody"
    assert after.bytes_used >= before.bytes_used
    assert 570 <= after.seconds_left <= 600
    seen = _result(download)
    assert seen["lasted_s"] > 3, "a restart of the gate interrupts nobody"


@pytest.mark.parametrize(
    "spoil", ["flush ruleset", "delete table netdev plaza", "flush chain inet plaza from_guest"]
)
def test_a_firewall_spoilt_from_outside_is_built_again(lab: Any, spoil: str) -> None:
    lab.gate.grant(lab.ann.ip, 600, Limits(bytes=20 * MIB))
    built = lab.gate.stats().rebuilt

    lab.in_node("nft", spoil)

    _until(lambda: lab.gate.stats().rebuilt > built)
    stats = lab.gate.stats()
    assert isinstance(stats, GateStats)
    assert stats.whole
    assert lab.ann.do("tcp", FAR["IPv4"], "443")["ok"]
    assert not lab.bob.do("tcp", FAR["IPv4"], "443")["ok"]


def test_the_walled_garden_is_open_to_all_by_name_and_nothing_else_is(lab: Any) -> None:
    """dnsmasq puts the addresses of the garden's names into the firewall while it resolves them."""
    assert not lab.bob.do("tcp", FAR["IPv4"], "443")["ok"]
    assert not lab.bob.do("tcp", FAR["IPv6"], "443")["ok"]

    _until(lambda: lab.bob.do("dns", "10.66.0.1", "sub.jardin.example.org").get("addresses"))

    try:
        assert lab.bob.do("dns", "10.66.0.1", "jardin.example.org", "28")["ok"]
        assert lab.bob.do("tcp", FAR["IPv4"], "443")["ok"]
        assert lab.bob.do("tcp", FAR["IPv6"], "443")["ok"]
        assert lab.bob.do("get", URL["IPv4"] + "/")["body"].startswith("<!doctype html>")
        assert not lab.bob.do("tcp", FAR["IPv4"], "8081")["ok"]
        assert not lab.gate.look(lab.bob.ip).is_open
    finally:
        for family in ("4", "6"):
            lab.in_node("nft", f"flush set inet plaza garden{family}")


def test_phones_get_ipv6_with_a_name_server_from_the_node(lab: Any) -> None:
    # Two advertisements answer: the one with the portal's address, and the one with the name server.
    _until(lambda: "Recursive DNS server     : fd66::1" in lab.ann.run("rdisc6", "wlan0"))

    assert lab.ann.ip6.startswith("fd66::")


def test_the_nft_program_builds_the_same_tables_as_the_library(lab: Any) -> None:
    code = (
        "import subprocess, sys; from captive_portal.gate import nft_runner as r; "
        "from captive_portal.gate.ruleset import GuestSide, render_tables; "
        "ip = ['ip', 'link', 'add', 'guest0', 'type', 'veth', 'peer', 'guest1']; "
        "subprocess.run(ip, check=True); runner = getattr(r, sys.argv[1])(*sys.argv[2:]); "
        "text = render_tables(GuestSide('guest0', 'up0', 8380, 443, 53, 5300, '10.66.0.1', 'fd66::1')); "
        "assert runner.run(text) == '', runner.run(text); "
        "print(subprocess.run(['nft', 'list', 'ruleset'], capture_output=True, text=True).stdout)"
    )
    python = ("unshare", "--net", sys.executable, "-P", "-c", code)

    by_library = lab.in_node(*python, "LibNft")
    by_program = lab.in_node(*python, "ArgvNft", "nft")

    assert "table netdev plaza" in by_library
    assert by_program == by_library


def test_the_portal_is_announced_over_dhcp_dhcpv6_and_router_advertisements(lab: Any) -> None:
    uri = "https://wifi.example.org/captive-portal/api"

    assert uri in lab.ann.attack("options", "10.66.0.1")["dhcp4"]["default-url"]
    seen = lab.ann.attack("portal6", "")

    assert seen["dhcp6"]
    assert seen["advertised"] == [uri]
    assert lab.ann.ip6.startswith("fd66::"), "and it is still a router to its guests"
    assert "default via fe80::" in lab.ip(lab.ann.namespace, "-6", "route")


def _kill(lab: Any) -> None:
    lab.gate_process.send_signal(signal.SIGKILL)
    lab.gate_process.wait(10)


def _result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=40)
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def _until(check: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.1)
