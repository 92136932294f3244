"""The firewall as text: table `inet plaza`, rendered from checked values. No I/O here.

A device passes when its hardware address is in `allow`, in IPv4 and IPv6 alike; the kernel ends a
visit by the element's timeout. Nothing from the guest side is accepted for being "established":
only packets towards it are, and only while the address was seen passing in the last half minute, so
that a revoked visit stops in both directions at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class GuestSide:
    """Where guests come in, where they go out, and the portal's TCP port on this node.

    Raises ValueError on anything that could be more than a name inside a rule.
    """

    interface: str
    uplink: str
    portal_port: int

    def __post_init__(self) -> None:
        for name in (self.interface, self.uplink):
            if not _INTERFACE.fullmatch(name):
                raise ValueError(f"{name!r} is not an interface name")
        if not 0 < self.portal_port < 65536:
            raise ValueError(f"{self.portal_port} is not a TCP port")


@dataclass(frozen=True, slots=True)
class Element:
    """A hardware address that may pass for `seconds` more."""

    mac: str
    seconds: int

    def __post_init__(self) -> None:
        if not _MAC.fullmatch(self.mac):
            raise ValueError("not a hardware address")

    def __str__(self) -> str:
        return f"{self.mac} timeout {self.seconds}s"


def render_table(side: GuestSide, elements: Iterable[Element] = ()) -> str:
    """One transaction that replaces the whole table, visits included."""
    return (
        f"table inet plaza\ndelete table inet plaza\n"
        f"table inet plaza {{\n{_SETS}{_nat(side)}{_input(side)}{_forward(side)}}}\n"
        + render_add(elements)
    )


def render_add(elements: Iterable[Element]) -> str:
    members = ", ".join(str(e) for e in elements)
    return f"add element inet plaza allow {{ {members} }}\n" if members else ""


def render_grant(element: Element) -> str:
    """Add a device or give it a new deadline: adding alone would keep the old timeout."""
    mac = element.mac
    return (
        f"add element inet plaza allow {{ {mac} timeout 1s }}\n"
        f"delete element inet plaza allow {{ {mac} }}\n"
        f"add element inet plaza allow {{ {element} }}\n"
    )


def render_revoke(mac: str, ip: str) -> str:
    """Take a device out, and stop what is on its way to it. Adding first makes it idempotent."""
    checked = Element(mac, 1)
    family = "downlink6" if ":" in ip else "downlink4"
    return (
        f"add element inet plaza allow {{ {checked} }}\n"
        f"delete element inet plaza allow {{ {mac} }}\n"
        f"add element inet plaza {family} {{ {ip} timeout 1s }}\n"
        f"delete element inet plaza {family} {{ {ip} }}\n"
    )


_SETS = """\
  set allow { type ether_addr; flags timeout; size 65535; }
  set downlink4 { type ipv4_addr; flags dynamic,timeout; timeout 30s; size 65535; }
  set downlink6 { type ipv6_addr; flags dynamic,timeout; timeout 30s; size 65535; }
"""


def _nat(side: GuestSide) -> str:
    return f"""\
  chain guest_web {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "{side.interface}" accept
    fib daddr type local tcp dport 80 redirect to :{side.portal_port}
    ether saddr @allow accept
    tcp dport 80 redirect to :{side.portal_port}
  }}
  chain guest_nat {{
    type nat hook postrouting priority srcnat; policy accept;
    iifname "{side.interface}" oifname "{side.uplink}" masquerade
  }}
"""


def _input(side: GuestSide) -> str:
    """What a guest may ask of the node itself: addresses, names, the portal; never its other ports."""
    return f"""\
  chain guest_input {{
    type filter hook input priority filter; policy accept;
    iifname != "{side.interface}" accept
    udp dport {{ 53, 67, 547 }} accept
    tcp dport {{ 53, {side.portal_port} }} accept
    icmp type echo-request limit rate 20/second accept
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} accept
    icmpv6 type echo-request limit rate 20/second accept
    meta l4proto tcp reject with tcp reset
    drop
  }}
"""


def _forward(side: GuestSide) -> str:
    return f"""\
  chain guest_forward {{
    type filter hook forward priority filter; policy drop;
    iifname "{side.interface}" oifname "{side.uplink}" jump from_guest
    iifname "{side.uplink}" oifname "{side.interface}" jump to_guest
  }}
  chain from_guest {{
    tcp dport 853 reject with tcp reset
    udp dport 853 reject
    ether saddr @allow meta nfproto ipv4 update @downlink4 {{ ip saddr }} accept
    ether saddr @allow meta nfproto ipv6 update @downlink6 {{ ip6 saddr }} accept
    meta l4proto tcp reject with tcp reset
    udp dport 443 reject
    drop
  }}
  chain to_guest {{
    ct state established,related ip daddr @downlink4 accept
    ct state established,related ip6 daddr @downlink6 accept
    drop
  }}
"""
