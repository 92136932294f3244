"""The guest side's dnsmasq file: what it says, and that no value becomes another line."""

from __future__ import annotations

import ipaddress
import subprocess
from pathlib import Path

import pytest

from captive_portal.dhcp import GuestNetwork, render_dnsmasq, write_dnsmasq

GATEWAY = ipaddress.IPv4Interface("10.66.0.1/24")


def test_the_file_gives_addresses_the_gateway_and_names() -> None:
    text = render_dnsmasq(GuestNetwork("br-guest", GATEWAY, 30, ("192.0.2.53",)))

    assert "dhcp-range=10.66.0.10,10.66.0.254,255.255.255.0,30m\n" in text
    assert "dhcp-option=option:router,10.66.0.1\n" in text
    assert "server=192.0.2.53\n" in text
    assert "dhcp-option-force" not in text
    assert "address=/#/" not in text


def test_an_https_api_is_announced_as_option_114() -> None:
    guests = GuestNetwork("br-guest", GATEWAY, 30, api_url="https://wifi.example.org/api")

    assert "dhcp-option-force=114,https://wifi.example.org/api\n" in render_dnsmasq(guests)


def test_dnsmasq_itself_accepts_the_file(tmp_path: Path) -> None:
    conf = tmp_path / "guest.conf"
    write_dnsmasq(GuestNetwork("br-guest", GATEWAY, 30), conf)

    done = subprocess.run(
        ["/usr/sbin/dnsmasq", "--test", f"--conf-file={conf}"], capture_output=True, text=True
    )

    assert "syntax check OK" in done.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"interface": "eth0\nserver=192.0.2.1"}, "not an interface name"),
        ({"lease_file": "/tmp/a b"}, "plain absolute path"),
        ({"lease_file": "/tmp/x\ndhcp-script=/bin/sh"}, "plain absolute path"),
        ({"lease_min": 0}, "a lease lasts"),
        ({"upstream_dns": ("192.0.2.1#53",)}, "does not appear to be"),
        ({"api_url": "http://example.org"}, "option 114"),
        ({"gateway": ipaddress.IPv4Interface("10.0.0.1/8")}, "between /16 and /28"),
    ],
)
def test_a_value_cannot_become_another_line(changes: dict[str, object], reason: str) -> None:
    values = {"interface": "br-guest", "gateway": GATEWAY, "lease_min": 30} | changes

    with pytest.raises(ValueError, match=reason):
        GuestNetwork(**values)  # type: ignore[arg-type]  # wrong on purpose
