"""The firewall as text: tables `inet plaza` and `netdev plaza`, rendered from checked values. No I/O.

Rule of this boundary: a guest's packet passes only with a mark that `netdev plaza` put on it, and that
table marks what comes from a hardware address in `visits` while its time and its quota last. A packet
towards a guest is counted and judged again on its way out, so that a visit ends in both directions
at once. Without either table nothing passes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from captive_portal.gate.ruleset_netdev import FROM_INTERNET, STRICT_NAMES, render_netdev

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
NAMES_PORT = 53
MAX_BLOCKED = 20_000


@dataclass(frozen=True, slots=True)
class GuestSide:
    """Where guests come in, where they go out, and what of this node they may reach.

    Raises ValueError on anything that could be more than a name or a number inside a rule.
    """

    interface: str
    uplink: str
    portal_port: int
    api_port: int = 0
    """TCP port of the Captive Portal API (RFC 8908) on this node; 0: none."""
    names_port: int = NAMES_PORT
    """Where the DNS of accepted devices is sent on this node, whatever server they ask."""
    strict_names_port: int = NAMES_PORT
    """The same before acceptance."""
    gateway4: str = ""
    gateway6: str = ""
    """This node's addresses on the guest side, which no guest may claim."""
    masquerade6: bool = True
    pool: int = 1000
    lease_min: int = 30
    """Addresses for guests and how long each is lent: they bound how fast new devices get one."""

    def __post_init__(self) -> None:
        for name in (self.interface, self.uplink):
            if not _INTERFACE.fullmatch(name):
                raise ValueError(f"{name!r} is not an interface name")
        for port in (self.portal_port, self.names_port, self.strict_names_port):
            if not 0 < port < 65536:
                raise ValueError(f"{port} is not a TCP port")
        if not 0 <= self.api_port < 65536:
            raise ValueError(f"{self.api_port} is not a TCP port")
        if self.gateway4:
            ipaddress.IPv4Address(self.gateway4)
        if self.gateway6:
            ipaddress.IPv6Address(self.gateway6)
        if self.pool < 1 or self.lease_min < 1:
            raise ValueError("a guest network needs addresses and a lease time")


def render_tables(side: GuestSide, doh: Iterable[str] = ()) -> str:
    """One transaction that replaces every table of ours; nobody is in afterwards."""
    return render_inet(side, doh) + render_netdev(side)


def render_inet(side: GuestSide, doh: Iterable[str] = ()) -> str:
    """The routing part alone: what can stand, and denies, while the guest interface is missing."""
    return (
        "table inet plaza\ndelete table inet plaza\n"
        f"table inet plaza {{\n{_sets(doh)}{_early(side)}{_nat(side)}{_input(side)}{_output(side)}"
        f"{_forward(side)}}}\n"
    )


def _sets(doh: Iterable[str]) -> str:
    nets = [ipaddress.ip_network(text) for text in doh]
    if len(nets) > MAX_BLOCKED:
        raise ValueError(f"at most {MAX_BLOCKED} blocked servers")
    four = ", ".join(sorted({str(n) for n in nets if n.version == 4}))
    six = ", ".join(sorted({str(n) for n in nets if n.version == 6}))
    return f"""\
  set allow {{ type ether_addr; flags timeout; size 65536; }}
  set garden4 {{ type ipv4_addr; flags timeout; timeout 1d; size 8192; }}
  set garden6 {{ type ipv6_addr; flags timeout; timeout 1d; size 8192; }}
  set doh4 {{ type ipv4_addr; flags interval; auto-merge; {_elements(four)} }}
  set doh6 {{ type ipv6_addr; flags interval; auto-merge; {_elements(six)} }}
  set names_up {{ type ether_addr; flags dynamic,timeout; timeout 2m; size 65536; }}
  set names_asked {{ type ether_addr; flags dynamic,timeout; timeout 2m; size 65536; }}
  set portal_new {{ type ether_addr; flags dynamic,timeout; timeout 2m; size 65536; }}
  set portal_open {{ type ether_addr; flags dynamic; size 65536; }}
"""


def _elements(members: str) -> str:
    return f"elements = {{ {members} }};" if members else ""


def _early(side: GuestSide) -> str:
    """Before address translation: inner DNS ports stay inner, and DNS before acceptance is a trickle.

    1 KiB of questions a second after a first 13 KiB is more than any sheet needs, and too little for
    a tunnel: see docs/explanation/attacks.md for the measurement.
    """
    inner = sorted({side.names_port, side.strict_names_port} - {NAMES_PORT})
    hidden = ""
    if inner:
        ports = ", ".join(map(str, inner))
        hidden = (
            f"    fib daddr type local meta l4proto {{ tcp, udp }} th dport {{ {ports} }} drop\n"
        )
    return f"""\
  chain guest_early {{
    type filter hook prerouting priority raw; policy accept;
    iifname != "{side.interface}" accept
{hidden}    meta l4proto {{ tcp, udp }} th dport {NAMES_PORT} ether saddr != @allow goto names_before
  }}
  chain names_before {{
    meta l4proto tcp accept
    udp length > 180 drop
    update @names_up {{ ether saddr limit rate over 20/second burst 100 packets }} drop
    update @names_asked {{ ether saddr limit rate over 1 kbytes/second burst 12 kbytes }} drop
  }}
  chain guest_flow {{
    type filter hook prerouting priority mangle; policy accept;
    iifname != "{side.interface}" accept
    ct state != new accept
    meta mark != 0 ct mark set meta mark accept
    udp dport {NAMES_PORT} ether saddr != @allow ct mark set {STRICT_NAMES:#x}
  }}
"""  # noqa: S608 - the "update" and "set" of nft, not of SQL


def _nat(side: GuestSide) -> str:
    six = "" if side.masquerade6 else "meta nfproto ipv4 "
    return f"""\
  chain guest_web {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "{side.interface}" accept
    meta l4proto {{ tcp, udp }} th dport {NAMES_PORT} ether saddr @allow redirect to :{side.names_port}
    udp dport {NAMES_PORT} redirect to :{side.strict_names_port}
    fib daddr type local tcp dport 80 redirect to :{side.portal_port}
    ip daddr @garden4 accept
    ip6 daddr @garden6 accept
    ether saddr @allow meta mark != 0 accept
    tcp dport 80 redirect to :{side.portal_port}
  }}
  chain guest_nat {{
    type nat hook postrouting priority srcnat; policy accept;
    {six}iifname "{side.interface}" oifname "{side.uplink}" masquerade
  }}
"""


def _input(side: GuestSide) -> str:
    """What a guest may ask of the node itself: addresses, names, the portal; never its other ports."""
    names = ", ".join(map(str, sorted({side.names_port, side.strict_names_port})))
    web = ", ".join(str(port) for port in (side.portal_port, side.api_port) if port)
    return f"""\
  chain guest_input {{
    type filter hook input priority filter; policy accept;
    iifname != "{side.interface}" accept
    udp dport {{ 67, 547 }} accept
    udp dport {{ {names} }} accept
    tcp dport {{ {names} }} ether saddr @allow accept
    tcp dport {{ {web} }} goto portal
    icmp type echo-request limit rate 20/second accept
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} accept
    icmpv6 type echo-request limit rate 20/second accept
    meta l4proto tcp reject with tcp reset
    drop
  }}
  chain portal {{
    ct state established accept
    update @portal_new {{ ether saddr limit rate over 30/second burst 120 packets }} drop
    add @portal_open {{ ether saddr ct count over 40 }} reject with tcp reset
    accept
  }}
"""


def _output(side: GuestSide) -> str:
    """Answers to questions before acceptance carry their mark to the guest interface."""
    return f"""\
  chain guest_output {{
    type filter hook output priority filter; policy accept;
    oifname "{side.interface}" ct mark {STRICT_NAMES:#x} meta mark set {STRICT_NAMES:#x}
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
    fib saddr . iif oif missing drop
    ip daddr @doh4 meta l4proto {{ tcp, udp }} th dport {{ 443, 853 }} goto refuse
    ip6 daddr @doh6 meta l4proto {{ tcp, udp }} th dport {{ 443, 853 }} goto refuse
    meta l4proto {{ tcp, udp }} th dport 853 goto refuse
    ip daddr @garden4 meta l4proto {{ tcp, udp }} th dport {{ 80, 443 }} accept
    ip6 daddr @garden6 meta l4proto {{ tcp, udp }} th dport {{ 80, 443 }} accept
    ether saddr @allow meta mark != 0 accept
    meta l4proto tcp goto refuse
    udp dport 443 goto refuse
    drop
  }}
  chain refuse {{
    meta l4proto tcp reject with tcp reset
    reject
  }}
  chain to_guest {{
    ct state != {{ established, related }} drop
    ip saddr @garden4 meta l4proto {{ tcp, udp }} th sport {{ 80, 443 }} accept
    ip6 saddr @garden6 meta l4proto {{ tcp, udp }} th sport {{ 80, 443 }} accept
    meta mark set {FROM_INTERNET:#x} accept
  }}
"""
