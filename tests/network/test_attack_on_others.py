"""What a guest can try against another guest, and against the node's addresses, leases and portal."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

import pytest

from captive_portal.gate.visits import Visit

pytestmark = [pytest.mark.network, pytest.mark.timeout(240)]
NODE4, NODE6 = "10.66.0.1", "fd66::1"
FAR4, FAR6 = "203.0.113.10", "2001:db8:1::10"
LORIS_S = os.environ.get("PLAZA_LORIS_S", "4")
"""The server hangs up after 15 idle seconds; a byte a second is held by the limit of connections."""
FORM = "Content-Type: application/x-www-form-urlencoded"


def test_guests_do_not_reach_each_other_not_even_when_both_are_accepted(lab: Any) -> None:
    for guest in (lab.ann, lab.bob):
        lab.gate.grant(guest.ip, 600)
    server = lab.spawn(lab.bob.namespace, "/usr/bin/python3", "-m", "http.server", "8000")
    heard = lab.bob.start_attack("listen", "4", lab.ann.mac)
    _wait(lambda: "8000" in lab.bob.run("ss", "-tlnH", "sport = :8000"))
    try:
        assert not lab.ann.do("tcp", lab.bob.ip, "8000")["ok"]
        assert not lab.ann.do("tcp", lab.bob.ip6, "8000")["ok"]
        lab.ip(
            lab.ann.namespace, "neigh", "replace", lab.bob.ip, "lladdr", lab.bob.mac, "dev", "wlan0"
        )
        assert not lab.ann.do("tcp", lab.bob.ip, "8000")["ok"]
        lab.ip(lab.ann.namespace, "route", "replace", lab.bob.ip, "via", NODE4)
        assert not lab.ann.do("tcp", lab.bob.ip, "8000")["ok"]
        assert _result(heard)["from_other"] == 0
    finally:
        server.terminate()
        server.wait(10)
        lab.ip(lab.ann.namespace, "route", "del", lab.bob.ip)
        lab.ip(lab.ann.namespace, "neigh", "del", lab.bob.ip, "dev", "wlan0")


def test_a_guest_that_advertises_itself_as_a_router_is_heard_by_nobody(lab: Any) -> None:
    heard = lab.bob.start_attack("listen", "4", lab.ann.mac)
    time.sleep(1.5)

    lab.ann.attack("router", "20")

    seen = _result(heard)
    assert seen["from_other"] == 0
    assert lab.ann.mac not in seen["routers"]
    assert "bad" not in lab.ip(lab.bob.namespace, "-6", "route")
    assert "bad" not in lab.ip(lab.node, "-6", "route")


def test_a_guest_that_claims_the_nodes_addresses_changes_nothing(lab: Any) -> None:
    lab.gate.grant(lab.bob.ip, 600)
    before = lab.ip(lab.bob.namespace, "neigh", "show", NODE4)

    lab.ann.attack("gateway", "30")

    assert lab.ann.mac not in lab.ip(lab.bob.namespace, "neigh")
    assert before.split("lladdr ")[1].split()[0] in lab.ip(
        lab.bob.namespace, "neigh", "show", NODE4
    )
    assert f"{NODE4} " not in lab.ip(lab.node, "neigh")
    assert lab.bob.do("tcp", FAR4, "443")["ok"]
    assert lab.bob.do("tcp", FAR6, "443")["ok"]


def test_dhcp_starvation_does_not_empty_the_pool(lab: Any) -> None:
    """245 addresses, 30 minutes each. Made-up senders slow newcomers down, and only while they send."""
    own = lab.ann.attack("starve", "16", "own")["leases"]
    made_up = lab.ann.attack("starve", "70", "made-up")["leases"]

    assert own <= 10
    assert made_up <= 66
    _wait(lambda: lab.bob.attack("options", NODE4)["dhcp4"].get("server_id") == NODE4, 90)


def test_the_portal_answers_others_while_one_guest_floods_it(lab: Any) -> None:
    flood = lab.ann.start("crowd", NODE4, "80", "120", "3")
    time.sleep(1)

    answers = [lab.bob.do("get", f"http://{NODE4}/es/") for _ in range(5)]

    assert [a["status"] for a in answers] == [200] * 5
    seen = _result(flood)
    assert seen["opened"] <= 60, "40 connections of one device at once, and a few that ended"


def test_a_slow_loris_holds_a_few_connections_and_only_for_a_while(lab: Any) -> None:
    loris = lab.ann.start("crowd", NODE4, "80", "60", LORIS_S)
    time.sleep(1)
    assert lab.bob.do("get", f"http://{NODE4}/es/")["status"] == 200

    seen = _result(loris)

    assert seen["opened"] <= 60
    assert seen["left"] <= 40
    assert lab.ann.do("get", f"http://{NODE4}/es/")["status"] == 200


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For: 10.66.0.102", "X-Real-IP: 10.66.0.102", "Forwarded: for=10.66.0.102"],
)
def test_a_forwarding_header_makes_nobody_else_of_a_guest(lab: Any, header: str) -> None:
    lab.gate.grant(lab.bob.ip, 600)

    page = lab.ann.do("send", NODE4, "80", _request("GET", "/es/en-linea", header))

    assert page["status"] == 303
    assert not lab.gate.look(lab.ann.ip).is_open


@pytest.mark.parametrize(
    "host", ["evil.example", "10.66.0.1@evil.example", "10.66.0.1:8380\\r\\nX-a: b", "a" * 300]
)
def test_a_host_header_never_comes_back_in_an_address(lab: Any, host: str) -> None:
    answer = lab.ann.do(
        "send", NODE4, "80", f"GET / HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n"
    )

    assert "evil" not in answer["headers"] + answer["body"]
    assert answer["location"] in ("", f"http://{NODE4}/")


@pytest.mark.parametrize("text", ["{{7*7}}", "${7*7}", "<script>alert(1)</script>", "{% raw %}"])
def test_what_a_guest_says_of_itself_is_never_a_template(lab: Any, text: str) -> None:
    for path in ("/es/", f"/es/folio?folio={text}", f"/es/tramites?q={text}", f"/{text}"):
        safe = path.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
        page = lab.ann.do("send", NODE4, "80", _request("GET", safe, f"User-Agent: {text}"))
        assert "<script>alert" not in page["body"]
        assert ">49<" not in page["body"]
        assert page["status"] < 500


def test_a_form_is_accepted_once_from_whom_it_was_shown_to_and_as_it_was_made(lab: Any) -> None:
    fields = lab.ann.do("form", NODE4)["body"]
    forged = fields.replace("seal=", "seal=0")

    assert _post(lab.ann, forged)["status"] == 400
    assert _post(lab.bob, fields)["status"] == 400
    assert not lab.gate.look(lab.ann.ip).is_open
    assert not lab.gate.look(lab.bob.ip).is_open

    assert _post(lab.ann, fields)["status"] == 303
    look = lab.gate.look(lab.ann.ip)
    assert isinstance(look, Visit)
    assert look.is_open
    lab.gate.revoke(lab.ann.ip)
    _post(lab.ann, fields)
    assert not lab.gate.look(lab.ann.ip).is_open, "an old form opens nothing again"


def test_oversized_and_broken_requests_get_a_small_page(lab: Any) -> None:
    big = lab.ann.do(
        "send", NODE4, "80", _request("POST", "/es/conectar", FORM, "a=" + "b" * 40_000)
    )
    lies = lab.ann.do(
        "send",
        NODE4,
        "80",
        _request("POST", "/es/conectar", f"{FORM}\\r\\nContent-Length: 99999999"),
    )
    head = lab.ann.do("send", NODE4, "80", _request("GET", "/", "X-a: " + "b" * 30_000))
    junk = lab.ann.do("send", NODE4, "80", "\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\r\\n\\r\\n")

    for answer in (big, lies, head, junk):
        # A request that is cut off in its middle may see the connection end before the page.
        assert not answer["ok"] or 400 <= answer["status"] < 500, answer
        assert len(answer.get("body", "")) < 15_000
        assert "Traceback" not in answer.get("body", "")
    assert lab.ann.do("get", f"http://{NODE4}/es/")["status"] == 200


def test_dns_over_https_and_tls_stay_closed_for_accepted_guests_too(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600)
    assert lab.ann.do("tcp", FAR4, "443")["ok"]
    lab.in_node("nft", "add element inet plaza doh4 { 203.0.113.10 }")
    lab.in_node("nft", "add element inet plaza doh6 { 2001:db8:1::10 }")
    try:
        for host in (FAR4, FAR6):
            assert lab.ann.do("tcp", host, "443")["error"] == "ConnectionRefusedError"
            assert lab.ann.do("tcp", host, "853")["error"] == "ConnectionRefusedError"
            assert lab.ann.do("udp", host, "443")["error"] == "ConnectionRefusedError"
            assert lab.ann.do("udp", host, "853")["error"] == "ConnectionRefusedError"
        assert lab.ann.do("dns", FAR4, "bloqueado.example.org")["addresses"] == [NODE4]
        assert "8.8.8.8" in lab.in_node("nft", "list set inet plaza doh4")
    finally:
        lab.in_node("nft", "delete element inet plaza doh4 { 203.0.113.10 }")
        lab.in_node("nft", "delete element inet plaza doh6 { 2001:db8:1::10 }")


def test_an_access_point_that_does_nat_is_told_by_its_time_to_live(lab: Any) -> None:
    lab.gate.grant(lab.ann.ip, 600)
    lab.set_kernel(lab.ann.namespace, "net/ipv4/ip_default_ttl", "63")
    try:
        lab.ann.do("tcp", FAR4, "443")
        assert lab.gate.stats().routers == 1
    finally:
        lab.set_kernel(lab.ann.namespace, "net/ipv4/ip_default_ttl", "64")
        lab.in_node("nft", "flush set netdev plaza routers")


def _request(method: str, path: str, header: str = "", body: str = "") -> str:
    """A request as `guest.py send` wants it: line ends written out."""
    length = f"Content-Length: {len(body)}\\r\\n" if body else ""
    extra = f"{header}\\r\\n" if header else ""
    start = f"{method} {path} HTTP/1.1\\r\\nHost: {NODE4}\\r\\nConnection: close\\r\\n"
    return f"{start}{extra}{length}\\r\\n{body}"


def _post(guest: Any, fields: str) -> dict[str, Any]:
    answer: dict[str, Any] = guest.do(
        "send", NODE4, "80", _request("POST", "/es/conectar", FORM, fields)
    )
    return answer


def _result(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=60)
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def _wait(check: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.1)
