"""Configuration texts of a site: literals only, whatever a setting holds; and the safe substitutes."""

from __future__ import annotations

import ipaddress
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.dhcp import GuestNetwork
from captive_portal.filter.dnsdist import render_dnsdist
from captive_portal.filter.dnsmasq import render_names, render_node
from captive_portal.filter.plan import FilterPlan
from captive_portal.filter.policy import FilterPolicy, Youtube, parse_policy
from captive_portal.filter.ports import DOH_ADDRESSES
from captive_portal.filter.safesearch import (
    GOOGLE_NAMES,
    PUBLISHED,
    all_targets,
    hosts_text,
    read_hosts,
    renew,
    substitutes,
)

PLAN = FilterPlan(("10.66.0.1", "fd00:66::1"), garden=("jardin.example",), own=("wifi.example",))
HOSTILE = [
    'a") os.execute("id',
    "a.com\nserver=/x/1.2.3.4",
    "a.com, b.com",
    "a.com/1.2.3.4",
    "]] os.exit() --",
    "a.com\\",
    "",
    "a",
    "../x",
    "%00.com",
]


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize(
    "field", ["listen", "garden", "own", "lists", "upstream", "trusted", "clients"]
)
def test_a_hostile_value_never_becomes_a_plan(field: str, bad: str) -> None:
    changes: dict[str, Any] = {field: ("10.66.0.1", bad) if field == "listen" else (bad,)}
    with pytest.raises(ValueError):
        replace(PLAN, **changes)


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_hostile_path_zone_or_name_of_a_policy_never_becomes_a_plan(bad: str) -> None:
    with pytest.raises(ValueError):
        replace(PLAN, safe_hosts=bad)
    if bad != "a":
        with pytest.raises(ValueError):
            replace(PLAN, zone=bad)
    with pytest.raises(ValueError):
        replace(PLAN, policy=FilterPolicy(block=(bad,)))
    with pytest.raises(ValueError):
        replace(PLAN, policy=FilterPolicy(allow=(bad,)))


@pytest.mark.parametrize("bad", [0, 65536, True, -1])
def test_a_port_is_a_port(bad: int) -> None:
    with pytest.raises(ValueError):
        replace(PLAN, cache_port=bad)


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_as_a_name_is_refused_or_written_between_quotes(text: str) -> None:
    try:
        plan = replace(PLAN, garden=(text,))
    except ValueError:
        return
    assert f'garden = {{"{text}", "wifi.example"}}' in render_dnsdist(plan)
    assert re.fullmatch(r"[a-z0-9._-]+", text)


@pytest.mark.skipif(shutil.which("dnsdist") is None, reason="dnsdist is not installed")
def test_dnsdist_accepts_the_text_of_every_kind_of_site(tmp_path: Path) -> None:
    documents: list[dict[str, object]] = [
        {},
        {"categories": [], "safesearch": False},
        {"hours": {"adult": ["lun-vie 07:00-15:00", "sab 22:00-02:00"]}, "youtube": "moderate"},
        {"allow": ["a.example", "xn--piata-pta.mx"], "block": ["b.example", "_x.c.example"]},
    ]
    for number, document in enumerate(documents):
        policy = parse_policy(document)
        assert isinstance(policy, FilterPolicy)
        path = tmp_path / f"{number}.conf"
        path.write_text(render_dnsdist(replace(PLAN, policy=policy, listen=("127.0.0.1",))))
        checked = subprocess.run(
            ["dnsdist", "--check-config", "-C", path], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr + checked.stdout


def test_hours_become_minutes_of_the_week() -> None:
    policy = parse_policy({"hours": {"adult": ["lun,mie 07:00-15:00", "dom 22:00-02:00"]}})
    assert isinstance(policy, FilterPolicy)
    text = render_dnsdist(replace(PLAN, policy=policy))
    spans = "{420, 900}, {3300, 3780}, {9960, 10200}"
    assert f'timed = {{{{name="adult", spans={{{spans}}}}}}},' in text
    assert '"adult"' not in text[text.index("always =") : text.index("timed =")]


def test_the_nodes_dnsmasq_gives_addresses_and_answers_names_to_the_filter_alone() -> None:
    guests = GuestNetwork(
        "br-guest", ipaddress.IPv4Interface("10.66.0.1/22"), 30, dns_port=PLAN.cache_port
    )
    text = render_node(PLAN, guests)
    assert "\ndhcp-range=10.66.0.10," in text
    assert f"port={PLAN.cache_port}\n" in text
    assert "host-record=wifi.example,10.66.0.1,fd00:66::1\n" in text
    assert "no-poll" not in text
    with pytest.raises(ValueError, match="through the filter"):
        render_node(PLAN, replace(guests, dns_port=53))


@pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed")
def test_dnsmasq_accepts_the_text(tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    path = tmp_path / "names.conf"
    plan = replace(PLAN, safe_hosts=str(tmp_path / "safe"), upstream=("127.0.0.1#5353", "::1"))
    path.write_text(render_names(plan))
    checked = subprocess.run(
        ["dnsmasq", "--test", "-C", path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_searchers_and_youtube_are_separate_switches() -> None:
    both = substitutes(FilterPolicy(safesearch=True, youtube=Youtube.STRICT))
    assert "restrict.youtube.com" in both
    assert both["forcesafesearch.google.com"] == GOOGLE_NAMES
    assert substitutes(FilterPolicy(safesearch=False)) == {}
    assert list(substitutes(FilterPolicy(safesearch=False, youtube=Youtube.MODERATE))) == [
        "restrictmoderate.youtube.com"
    ]


def test_google_is_covered_in_all_its_domains() -> None:
    assert len(GOOGLE_NAMES) == len(set(GOOGLE_NAMES)) > 185
    assert {"www.google.com.mx", "www.google.com", "www.google.es", "www.google.cat"} <= set(
        GOOGLE_NAMES
    )


def test_a_safe_address_is_looked_up_kept_published_or_the_node() -> None:
    node = "10.66.0.1"
    first = renew({}, node)
    assert first["forcesafesearch.google.com"] == PUBLISHED["forcesafesearch.google.com"]
    assert first["safe.duckduckgo.com"] == node
    looked = renew(first, node, lambda name: ["52.0.0.2", "52.0.0.1"] if "duck" in name else [])
    assert looked["safe.duckduckgo.com"] == "52.0.0.1"
    again = renew(looked, node, lambda name: ["52.0.0.9"] if "pixabay" in name else [])
    assert again["safe.duckduckgo.com"] == "52.0.0.1"
    assert again["safesearch.pixabay.com"] == "52.0.0.9"
    lied = renew(again, node, lambda name: ["192.168.1.1", "no", "::1"])
    assert lied == again
    assert set(lied) == set(all_targets())


@settings(max_examples=150)
@given(st.text(max_size=200))
def test_a_damaged_hosts_file_gives_only_what_is_ours(text: str) -> None:
    assert set(read_hosts(text)) <= set(all_targets())
    known = {"safe.duckduckgo.com": "52.0.0.1"}
    assert (
        read_hosts(hosts_text(known) + "\n" + "1.2.3.4 otro.example\n999.1.1.1 pixabay.com\n")
        == known
    )


def test_known_servers_are_addresses_of_both_families_each_once() -> None:
    parsed = [ipaddress.ip_address(a) for a in DOH_ADDRESSES]
    assert len(parsed) == len(set(parsed)) > 100
    assert {a.version for a in parsed} == {4, 6}
    assert all(a.is_global for a in parsed)
