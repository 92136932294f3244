"""Every way around the gate that a guest can try, before acceptance and after a visit has ended.

Each attempt runs twice, from a device that never accepted and from one whose visit is over, against the
real gate, filter and portal. What the docs say of each is in docs/explanation/attacks.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

import pytest

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]
NODE4, NODE6 = "10.66.0.1", "fd66::1"
FAR4, FAR6 = "203.0.113.10", "2001:db8:1::10"
TUNNEL_S = float(os.environ.get("PLAZA_TUNNEL_S", "6"))
MEMBERS = ["never accepted", "its visit is over"]


@pytest.fixture(scope="module", params=MEMBERS)
def outsider(built_lab: Any, request: pytest.FixtureRequest) -> Any:
    """Ann, who may not pass."""
    lab = built_lab
    if request.param == MEMBERS[1]:
        lab.meet(lab.ann)
        lab.gate.grant(lab.ann.ip, 2)
        assert lab.ann.do("tcp", FAR4, "443")["ok"]
        until = time.monotonic() + 20
        while lab.gate.look(lab.ann.ip).is_open:
            assert time.monotonic() < until
            time.sleep(0.05)
    return lab.ann


@pytest.mark.parametrize("host", [FAR4, FAR6])
def test_tcp_is_refused_at_once(outsider: Any, host: str) -> None:
    """A reset, not a silence: `guest.py` waits two seconds before it would call it a time-out."""
    for port in ("443", "8081", "53", "853"):
        assert outsider.do("tcp", host, port)["error"] == "ConnectionRefusedError", port


@pytest.mark.parametrize("host", [FAR4, FAR6])
def test_quic_is_refused_at_once_so_that_browsers_fall_back(outsider: Any, host: str) -> None:
    assert outsider.do("udp", host, "443")["error"] == "ConnectionRefusedError"


@pytest.mark.parametrize("host", [FAR4, FAR6])
def test_other_datagrams_do_not_pass(outsider: Any, host: str) -> None:
    for port in ("5000", "51820", "853"):
        assert not outsider.do("udp", host, port)["ok"], port


def test_plain_http_leads_to_the_portal_and_ipv6_says_no(outsider: Any) -> None:
    answer = outsider.do("get", f"http://{FAR4}/generate_204", "connectivitycheck.gstatic.com")

    assert answer["location"] == f"http://{NODE4}/"
    assert outsider.do("tcp", FAR6, "80")["error"] == "ConnectionRefusedError"


@pytest.mark.parametrize("host", [FAR4, FAR6])
def test_dns_to_another_server_is_answered_by_the_node(outsider: Any, host: str) -> None:
    """The far side echoes datagrams: an echo would be the question itself, without the answer bit."""
    answer = outsider.do("dns", host, "hola.example.org")

    assert answer["addresses"] == [FAR4]
    assert not answer["echoed"]


def test_an_icmp_tunnel_6to4_and_gre_bring_nothing_back(lab: Any, outsider: Any) -> None:
    assert outsider.attack("tunnel", _mac(lab))["answers"] == {
        "icmp": False, "6to4": False, "gre": False,
    }  # fmt: skip


def test_fresh_ipv6_addresses_do_not_help(lab: Any, outsider: Any) -> None:
    _listen(lab, 5000)
    outsider.attack("private6", _mac(lab), "fd66::")

    assert _heard(lab) == 0


def test_a_static_address_does_not_help(lab: Any, outsider: Any) -> None:
    lab.ip(outsider.namespace, "addr", "add", "10.66.0.222/24", "dev", "wlan0")
    try:
        lab.ip(
            outsider.namespace, "route", "replace", "default", "via", NODE4, "src", "10.66.0.222"
        )
        assert not outsider.do("tcp", FAR4, "8081")["ok"]
        assert outsider.do("get", f"http://{FAR4}/")["location"] == f"http://{NODE4}/"
    finally:
        lab.ip(outsider.namespace, "route", "replace", "default", "via", NODE4)
        lab.ip(outsider.namespace, "addr", "del", "10.66.0.222/24", "dev", "wlan0")


def test_the_ip_address_of_an_accepted_guest_does_not_help(lab: Any, outsider: Any) -> None:
    lab.gate.grant(lab.bob.ip, 600)
    lab.ip(outsider.namespace, "addr", "add", f"{lab.bob.ip}/24", "dev", "wlan0")
    try:
        lab.ip(outsider.namespace, "route", "replace", "default", "via", NODE4, "src", lab.bob.ip)
        assert not outsider.do("tcp", FAR4, "443")["ok"]
    finally:
        lab.ip(outsider.namespace, "route", "replace", "default", "via", NODE4)
        lab.ip(outsider.namespace, "addr", "del", f"{lab.bob.ip}/24", "dev", "wlan0")


def test_other_ports_of_the_node_are_closed(outsider: Any) -> None:
    for port in ("22", "5300", "5354", "8381"):
        assert not outsider.do("tcp", NODE4, port)["ok"]
    assert not outsider.do("udp", NODE4, "5354")["ok"]


def test_a_dns_tunnel_is_held_under_a_kibibyte_a_second(lab: Any) -> None:
    """iodine as its makers ship it, its server on the far side, the first burst included in the mean."""
    speed = _iodine(lab, lab.ann, TUNNEL_S)

    print(json.dumps({"what": "attack: iodine before acceptance", **speed}))
    assert speed["bytes_a_second"] < 1024


def test_names_before_acceptance_are_few_short_and_slow(outsider: Any) -> None:
    fast = outsider.do("names", NODE4, "150", "20")
    long = outsider.do("names", NODE4, "8", "140")
    text = outsider.do("names", NODE4, "8", "20", "16")

    assert fast["answers"] <= 41 + 20 * fast["took_s"]
    assert long["answered"] == 0
    assert text["answered"] == 0


def _mac(lab: Any) -> str:
    shown = json.loads(lab.ip(lab.node, "-j", "link", "show", "br-guest"))
    return str(shown[0]["address"])


def _listen(lab: Any, port: int) -> None:
    """Count at the node what leaves towards the Internet."""
    lab.in_node("nft", f"add table inet watch_{port}")
    lab.in_node(
        "nft",
        f"flush table inet watch_{port}; add chain inet watch_{port} out "
        "{ type filter hook postrouting priority 300; }; "
        f"add rule inet watch_{port} out oifname up0 udp dport {port} counter",
    )


def _heard(lab: Any) -> int:
    shown = lab.in_node("nft", "-j", "list", "table", "inet", "watch_5000")
    lab.in_node("nft", "delete table inet watch_5000")
    counters = [e for r in json.loads(shown)["nftables"] for e in r.get("rule", {}).get("expr", [])]
    return sum(int(c["counter"]["packets"]) for c in counters if "counter" in c)


def _iodine(lab: Any, guest: Any, seconds: float) -> dict[str, float]:
    """Run the tunnel with its data pushed as hard as it goes; bytes of payload that got through."""
    server = lab.spawn(
        lab.far, "iodined", "-f", "-c", "-P", "x", "-p", "5353", "-l", FAR4, "-m", "1130",
        "-d", "tun9", "192.168.99.1/24", "tunel.example.org",
    )  # fmt: skip
    client = lab.spawn(
        guest.namespace, "iodine", "-f", "-P", "x", "-r", "-T", "A", "-M", "100", "-L", "0",
        "-d", "tun9", NODE4, "tunel.example.org",
    )  # fmt: skip
    try:
        up = _wait(lambda: "192.168.99.2" in lab.ip(guest.namespace, "addr"), 40)
        if not up:
            return {"connected": 0, "bytes_a_second": 0.0}
        before = _carried(lab)
        pump = guest.start("pump", "192.168.99.1", "7", str(seconds))
        pump.communicate(timeout=seconds + 30)
        return {"connected": 1, "bytes_a_second": (_carried(lab) - before) / seconds}
    finally:
        for process in (client, server):
            process.terminate()
            process.wait(10)


def _carried(lab: Any) -> int:
    """Bytes in and out of the tunnel's device at its server."""
    stats = json.loads(lab.ip(lab.far, "-j", "-s", "link", "show", "tun9"))[0]["stats64"]
    return int(stats["rx"]["bytes"]) + int(stats["tx"]["bytes"])


def _wait(check: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(AssertionError):
            if check():
                return True
        time.sleep(0.2)
    return False
