"""One visit as set elements, and the transactions that open, end and restore visits. No I/O here.

`visits` (netdev) is the visit: its hardware address, a mark, the time that is left and a quota that
both directions use up. `allow` (inet) says who is in, for rules that must not count. `rate_up` and
`rate_down` hold those whose visit has a rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from captive_portal.gate.netlink_wire import (
    NFPROTO_INET,
    NFPROTO_NETDEV,
    Message,
    Place,
    add,
    data,
    delete,
    element,
    flush,
    key,
    limit_over,
    quota_until,
    timeout,
)
from captive_portal.gate.visits import Limits

ALLOW = Place(NFPROTO_INET, "plaza", "allow")
VISITS = Place(NFPROTO_NETDEV, "plaza", "visits")
RATE_UP = Place(NFPROTO_NETDEV, "plaza", "rate_up")
RATE_DOWN = Place(NFPROTO_NETDEV, "plaza", "rate_down")
ROUTERS = Place(NFPROTO_NETDEV, "plaza", "routers")
_ALL = (ALLOW, VISITS, RATE_UP, RATE_DOWN)

NO_QUOTA = 1 << 62
MIN_BUCKET = 128 * 1024
"""A policer must let a whole offloaded packet (64 KiB) through, or nothing ever passes."""
LAST_MARK = (1 << 24) - 1
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Pass:
    """What the kernel must know of a visit. Raises ValueError for what cannot be an element."""

    mac: str
    mark: int
    left_ms: int
    limits: Limits
    used: int = 0

    def __post_init__(self) -> None:
        if not is_mac(self.mac) or not 0 < self.mark <= LAST_MARK or self.left_ms <= 0:
            raise ValueError("not a visit of a hardware address")

    @property
    def key(self) -> bytes:
        return key_of(self.mac)


def is_mac(text: str) -> bool:
    return _MAC.fullmatch(text) is not None


def key_of(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def open_visit(new: Pass) -> list[Message]:
    """Let a device in, whatever it had: adding alone would keep the old time and quota."""
    return [*end_visit(new.mac, new.mark), *_add([new])]


def end_visit(mac: str, mark: int) -> list[Message]:
    """Take a device out. Adding first makes the deletion valid when the kernel was faster."""
    named = key(key_of(mac))
    soon, tiny = timeout(1000), limit_over(1, MIN_BUCKET)
    second = (
        (ALLOW, element(named, soon)),
        (VISITS, element(named, data(mark), soon, quota_until(1, 1))),
        (RATE_UP, element(named, soon, tiny)),
        (RATE_DOWN, element(named, soon, tiny)),
    )
    gone = [element(named)]
    return [m for place, known in second for m in (*add(place, [known]), *delete(place, gone))]


def replace_all(visits: Iterable[Pass]) -> list[Message]:
    """Empty the sets and fill them, in one transaction."""
    return [*map(flush, _ALL), *_add(visits)]


def _add(visits: Iterable[Pass]) -> list[Message]:
    allow: list[bytes] = []
    passes: list[bytes] = []
    ups: list[bytes] = []
    downs: list[bytes] = []
    for one in visits:
        named, left, limits = key(one.key), timeout(one.left_ms), one.limits
        quota = quota_until(limits.bytes or NO_QUOTA, one.used)
        allow.append(element(named, left))
        passes.append(element(named, data(one.mark), left, quota))
        if limits.rate_up_kib_s:
            ups.append(element(named, left, _rate(limits.rate_up_kib_s)))
        if limits.rate_down_kib_s:
            downs.append(element(named, left, _rate(limits.rate_down_kib_s)))
    rows = zip(_ALL, (allow, passes, ups, downs), strict=True)
    return [message for place, elements in rows for message in add(place, elements)]


def _rate(kib_s: int) -> bytes:
    """The kernel's bucket holds one second of the rate plus the burst."""
    return limit_over(kib_s * 1024, max(0, MIN_BUCKET - kib_s * 1024))
