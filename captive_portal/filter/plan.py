"""Everything that the two configurations of a site are made from, checked. Hostile values stop here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from captive_portal.filter.names import NameProblem, parse_name
from captive_portal.filter.policy import FilterPolicy
from captive_portal.filter.ports import ACCEPTED_PORT, CACHE_PORT, WAITING_PORT

PROBE_NAMES = (
    "captive.apple.com", "www.apple.com", "connectivitycheck.gstatic.com",
    "connectivitycheck.android.com", "clients3.google.com", "www.msftconnecttest.com",
    "ipv6.msftconnecttest.com", "dns.msftncsi.com", "www.msftncsi.com", "detectportal.firefox.com",
    "connectivity-check.ubuntu.com", "nmcheck.gnome.org", "network-test.debian.org",
    "connectivitycheck.platform.hicloud.com", "connect.rom.miui.com",
)  # fmt: skip
"""Names that phones and computers ask about a new network. They resolve truthfully also when no list can
be read: answered with the node's own address, newer Android gives up instead of showing the portal."""

PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip

_PATH = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class FilterPlan:
    """`listen` is the node's guest address, IPv4 first; blocked names answer with it.

    Raises ValueError on anything that is not exactly what it should be.
    """

    listen: tuple[str, ...]
    policy: FilterPolicy = field(default_factory=FilterPolicy)
    garden: tuple[str, ...] = ()
    """Names that always resolve, with everything below them: the walled garden."""
    own: tuple[str, ...] = ()
    """Names of the node itself on the guests' network, such as the portal's."""
    lists: tuple[str, ...] = (
        "/var/lib/plaza/filter/list.cdb",
        "/usr/share/plaza/filter/baseline.cdb",
    )
    """Files in the order of preference; the first that can be read serves."""
    safe_hosts: str = "/var/lib/plaza/filter/safe"
    """The folder with the addresses of the safe search names."""
    upstream: tuple[str, ...] = ()
    """Resolvers on the uplink, ADDR or ADDR#PORT; none: those of the system."""
    accepted_port: int = ACCEPTED_PORT
    waiting_port: int = WAITING_PORT
    cache_port: int = CACHE_PORT
    trusted: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks without a limit per device."""
    clients: tuple[str, ...] = PRIVATE
    """Networks that are answered at all."""
    zone: str = "America/Mexico_City"

    def __post_init__(self) -> None:
        addresses = [ipaddress.ip_address(a) for a in self.listen]
        if not addresses or addresses[0].version != 4:
            raise ValueError("the filter listens on an IPv4 address, and then on others")
        for name in (*self.garden, *self.own, *self.policy.allow, *self.policy.block):
            _check_name(name)
        _check_all(_PATH, (*self.lists, self.safe_hosts), "a plain absolute path")
        _check_all(_ZONE, (self.zone,), "a time zone")
        for server in self.upstream:
            address, mark, port = server.partition("#")
            ipaddress.ip_address(address)
            _check_port(int(port) if port.isdecimal() else 0 if mark else 53)
        for number in (self.accepted_port, self.waiting_port, self.cache_port):
            _check_port(number)
        for network in (*self.trusted, *self.clients):
            ipaddress.ip_network(network)


def _check_name(name: str) -> None:
    parsed = parse_name(name, broad=True)
    if isinstance(parsed, NameProblem) or parsed != name:
        raise ValueError(f"{name!r} is not a host name")


def _check_all(shape: re.Pattern[str], texts: tuple[str, ...], what: str) -> None:
    for text in texts:
        if not shape.fullmatch(text):
            raise ValueError(f"{text!r} is not {what}")


def _check_port(number: int) -> None:
    if type(number) is not int or not 0 < number < 65536:
        raise ValueError(f"{number!r} is not a port")
