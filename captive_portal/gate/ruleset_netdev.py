"""Table `netdev plaza` as text: visits with their time, bytes and rates, at the guest interface itself.

Only there do both directions show the guest's hardware address: as source of what comes in, and as
destination of what goes out. What the node serves itself is not counted.
"""

from __future__ import annotations

import ipaddress
from typing import Protocol

FROM_INTERNET = 0x40000000
"""Mark of a forwarded packet on its way to a guest; visits have marks below 2^24."""
STRICT_NAMES = 0x20000000
"""Mark of a DNS answer to a device that is not accepted."""


class Side(Protocol):
    """The part of a guest side that this table needs, checked by whoever made it."""

    @property
    def interface(self) -> str: ...
    @property
    def gateway4(self) -> str: ...
    @property
    def gateway6(self) -> str: ...
    @property
    def pool(self) -> int: ...
    @property
    def lease_min(self) -> int: ...


_RATE = "flags timeout; size 65536; limit rate over 1000 mbytes/second burst 128 kbytes;"
_SETS = f"""\
  map visits {{ type ether_addr : mark; flags timeout; size 65536; quota 4611686018427387904 bytes; }}
  set rate_up {{ type ether_addr; {_RATE} }}
  set rate_down {{ type ether_addr; {_RATE} }}
  set routers {{ type ether_addr; flags dynamic,timeout; timeout 10m; size 4096; }}
  set names_down {{ type ether_addr; flags dynamic,timeout; timeout 2m; size 65536; }}
  set lease_asked {{ type ether_addr; flags dynamic,timeout; timeout 10m; size 65536; }}
"""


def render_netdev(side: Side) -> str:
    return (
        "table netdev plaza\ndelete table netdev plaza\n"
        f"table netdev plaza {{\n{_SETS}{_known(side)}{_incoming(side)}{_leases(side)}"
        f"{_outgoing(side)}}}\n"
    )


def _known(side: Side) -> str:
    """Who was lent an address is not new until that lease has ended."""
    return (
        "  set lease_known { type ether_addr; flags dynamic,timeout; "
        f"timeout {side.lease_min}m; size 65536; }}\n"
    )


def _incoming(side: Side) -> str:
    """A guest is no router, no DHCP server and not this node. TTL 63, 127 or 254: one more hop."""
    claims = f"    arp saddr ip {side.gateway4} drop\n" if side.gateway4 else ""
    if side.gateway6:
        claims += f"    icmpv6 type nd-neighbor-advert @th,64,128 {_bits(side.gateway6)} drop\n"
    return f"""\
  chain guest_in {{
    type filter hook ingress device "{side.interface}" priority filter; policy accept;
    meta mark set 0
{claims}    icmpv6 type {{ nd-router-advert, nd-redirect }} drop
    udp sport {{ 67, 547 }} drop
    fib saddr type local drop
    udp dport {{ 67, 547 }} goto leases
    ether saddr @rate_up drop
    ip ttl {{ 63, 127, 254 }} update @routers {{ ether saddr }}
    fib daddr type != unicast accept
    meta mark set ether saddr map @visits
  }}
"""  # noqa: S608 - the "update" and "set" of nft, not of SQL


def _leases(side: Side) -> str:
    """New devices get addresses no faster than leases end: the pool is never empty for the next one."""
    a_minute = max(1, side.pool * 7 // (10 * side.lease_min))
    return f"""\
  chain leases {{
    update @lease_asked {{ ether saddr limit rate over 4/minute burst 10 packets }} drop
    ether saddr @lease_known accept
    limit rate over {a_minute}/minute burst {max(5, side.pool // 4)} packets drop
    add @lease_known {{ ether saddr }} accept
  }}
"""


def _outgoing(side: Side) -> str:
    return f"""\
  chain guest_out {{
    type filter hook egress device "{side.interface}" priority filter; policy accept;
    meta mark {STRICT_NAMES:#x} goto names_before
    meta mark != {FROM_INTERNET:#x} accept
    ether daddr @rate_down drop
    meta mark set ether daddr map @visits accept
    drop
  }}
  chain names_before {{
    update @names_down {{ ether daddr limit rate over 1 kbytes/second burst 16 kbytes }} drop
  }}
"""


def _bits(address: str) -> str:
    """An IPv6 address as a number: nft 1.0.6 has no name for the target of an advertisement."""
    return f"{int(ipaddress.IPv6Address(address)):#x}"
