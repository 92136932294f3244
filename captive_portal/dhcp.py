"""dnsmasq's configuration for the guest side: addresses, names, and the portal's announcement.

Every value is checked before it is written: a setting can become a wrong address, never another line.
Names resolve truthfully; phones that see a private address for a probe's name give up instead of
opening the portal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from captive_portal.capport import DHCP_OPTION, announced_uri

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_LEASE_PATH = re.compile(r"/[A-Za-z0-9_./-]{1,200}")
RESERVED_HOSTS = 10


@dataclass(frozen=True, slots=True)
class GuestNetwork:
    """The guest side. Raises ValueError on anything that is not exactly what it should be."""

    interface: str
    gateway: ipaddress.IPv4Interface
    lease_min: int
    upstream_dns: Sequence[str] = ()
    api_url: str = ""
    lease_file: str = "/run/plaza/dnsmasq.leases"

    def __post_init__(self) -> None:
        if not _INTERFACE.fullmatch(self.interface):
            raise ValueError(f"{self.interface!r} is not an interface name")
        if not 16 <= self.gateway.network.prefixlen <= 28:
            raise ValueError("the guest network must be between /16 and /28")
        if not 5 <= self.lease_min <= 24 * 60:
            raise ValueError("a lease lasts from 5 minutes to a day")
        if not _LEASE_PATH.fullmatch(self.lease_file):
            raise ValueError("the lease file needs a plain absolute path")
        if self.api_url and announced_uri(self.api_url) is None:
            raise ValueError("option 114 needs an https URI of at most 255 plain characters")
        for server in self.upstream_dns:
            ipaddress.ip_address(server)


def render_dnsmasq(guests: GuestNetwork) -> str:
    """The whole configuration file. Leases live in memory (tmpfs): no address book reaches the card."""
    network = guests.gateway.network
    first = network.network_address + RESERVED_HOSTS
    last = network.broadcast_address - 1
    gateway = guests.gateway.ip
    lines = [
        "no-hosts",
        "no-poll",
        "bind-interfaces",
        "except-interface=lo",
        f"interface={guests.interface}",
        f"listen-address={gateway}",
        "dhcp-authoritative",
        f"dhcp-range={first},{last},{network.netmask},{guests.lease_min}m",
        f"dhcp-option=option:router,{gateway}",
        f"dhcp-option=option:dns-server,{gateway}",
        f"dhcp-leasefile={guests.lease_file}",
        f"dhcp-lease-max={min(network.num_addresses, 4096)}",
        "quiet-dhcp",
        "cache-size=10000",
        "dns-forward-max=300",
        "domain-needed",
        "bogus-priv",
    ]
    uri = announced_uri(guests.api_url)
    if uri is not None:
        lines.append(f"dhcp-option-force={DHCP_OPTION},{uri}")
    if guests.upstream_dns:
        lines.append("no-resolv")
        lines += [f"server={server}" for server in guests.upstream_dns]
    return "\n".join(lines) + "\n"


def write_dnsmasq(guests: GuestNetwork, path: Path) -> None:
    """Put the file in place whole."""
    fresh = path.with_suffix(".new")
    fresh.write_text(render_dnsmasq(guests), encoding="ascii")
    fresh.replace(path)
