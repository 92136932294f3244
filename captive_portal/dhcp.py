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
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
RESERVED_HOSTS = 10
DHCP6_OPTION = 103
RA_INTERVAL_S = 60
RA_LIFETIME_S = 1800
"""The router's life in its advertisements; the gate's own, with option 37, must say the same."""
MAX_CACHE_S = 300
"""No longer: a cached answer does not refresh the walled garden's set in the firewall."""


@dataclass(frozen=True, slots=True)
class GuestNetwork:
    """The guest side. Raises ValueError on anything that is not exactly what it should be."""

    interface: str
    gateway: ipaddress.IPv4Interface
    lease_min: int
    upstream_dns: Sequence[str] = ()
    api_url: str = ""
    lease_file: str = "/run/plaza/dnsmasq.leases"
    gateway6: ipaddress.IPv6Interface | None = None
    """None: the guest side has IPv4 only."""
    walled_garden: Sequence[str] = ()
    """Names whose addresses, and those of their sub-domains, anybody reaches."""
    dns_port: int = 53
    """53: guests ask dnsmasq itself. Another port: it answers on loopback, for the filter in front."""

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
        self._check_names()

    def _check_names(self) -> None:
        for server in self.upstream_dns:
            ipaddress.ip_address(server)
        if self.gateway6 is not None and self.gateway6.network.prefixlen != 64:
            raise ValueError(
                "the guests' IPv6 network must be a /64: phones make their own addresses"
            )
        for name in self.walled_garden:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a name")
        if not 0 < self.dns_port < 65536:
            raise ValueError(f"{self.dns_port} is not a port")


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
        f"interface={guests.interface}",
        *_names(guests),
        "dhcp-authoritative",
        # Asking whether somebody uses an address costs each newcomer three seconds before the sheet.
        "no-ping",
        f"dhcp-range={first},{last},{network.netmask},{guests.lease_min}m",
        f"dhcp-option=option:router,{gateway}",
        f"dhcp-option=option:dns-server,{gateway}",
        f"dhcp-leasefile={guests.lease_file}",
        f"dhcp-lease-max={min(network.num_addresses, 4096)}",
        "quiet-dhcp",
        "quiet-dhcp6",
        "quiet-ra",
    ]
    uri = announced_uri(guests.api_url)
    if uri is not None:
        lines.append(f"dhcp-option-force={DHCP_OPTION},{uri}")
    if guests.gateway6 is not None:
        lines += _ipv6(guests.interface, guests.gateway6, uri)
    if guests.upstream_dns:
        lines.append("no-resolv")
        lines += [f"server={server}" for server in guests.upstream_dns]
    for name in guests.walled_garden:
        lines.append(f"nftset=/{name}/4#inet#plaza#garden4,6#inet#plaza#garden6")
    return "\n".join(lines) + "\n"


def _names(guests: GuestNetwork) -> list[str]:
    """Who asks: the guests, or the filter on this node that the guests ask."""
    common = [
        "cache-size=10000",
        f"max-cache-ttl={MAX_CACHE_S}",
        "dns-forward-max=300",
        "domain-needed",
        "bogus-priv",
    ]
    if guests.dns_port != 53:
        return [f"port={guests.dns_port}", "interface=lo", "listen-address=127.0.0.1", *common]
    six = [f"listen-address={guests.gateway6.ip}"] if guests.gateway6 else []
    return ["except-interface=lo", f"listen-address={guests.gateway.ip}", *six, *common]


def _ipv6(interface: str, gateway: ipaddress.IPv6Interface, uri: str | None) -> list[str]:
    """Advertisements with RDNSS (RFC 8106), DHCPv6 for options alone: phones make their own addresses."""
    lines = [
        "enable-ra",
        f"ra-param={interface},{RA_INTERVAL_S},{RA_LIFETIME_S}",
        f"dhcp-range={gateway.network.network_address},ra-stateless,64",
        f"dhcp-option=option6:dns-server,[{gateway.ip}]",
    ]
    if uri is not None:
        lines.append(f"dhcp-option=option6:{DHCP6_OPTION},{uri}")
    return lines


def write_dnsmasq(guests: GuestNetwork, path: Path) -> None:
    """Put the file in place whole."""
    fresh = path.with_suffix(".new")
    fresh.write_text(render_dnsmasq(guests), encoding="ascii")
    fresh.replace(path)
