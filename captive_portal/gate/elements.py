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
    delete,
    element,
    flush,
    limit_over,
    quota_until,
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
        if not _MAC.fullmatch(self.mac) or not 0 < self.mark <= LAST_MARK or self.left_ms <= 0:
            raise ValueError("not a visit of a hardware address")

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.mac.replace(":", ""))


def open_visit(new: Pass) -> list[Message]:
    """Let a device in, whatever it had: adding alone would keep the old time and quota."""
    return [*end_visit(new.mac, new.mark), *_add([new])]


def end_visit(mac: str, mark: int) -> list[Message]:
    """Take a device out. Adding first makes the deletion valid when the kernel was faster."""
    key = bytes.fromhex(mac.replace(":", ""))
    second = {
        ALLOW: element(key, timeout_ms=1000),
        VISITS: element(key, timeout_ms=1000, mark=mark, expression=quota_until(1, 1)),
        RATE_UP: element(key, timeout_ms=1000, expression=limit_over(1, MIN_BUCKET)),
        RATE_DOWN: element(key, timeout_ms=1000, expression=limit_over(1, MIN_BUCKET)),
    }
    messages: list[Message] = []
    for place, known in second.items():
        messages += [*add(place, [known]), *delete(place, [key])]
    return messages


def replace_all(visits: Iterable[Pass]) -> list[Message]:
    """Empty the sets and fill them, in one transaction."""
    return [*map(flush, _ALL), *_add(list(visits))]


def _add(visits: list[Pass]) -> list[Message]:
    return [
        *add(ALLOW, [element(v.key, timeout_ms=v.left_ms) for v in visits]),
        *add(VISITS, map(_visit, visits)),
        *add(RATE_UP, [_rate(v, v.limits.rate_up_kib_s) for v in visits if v.limits.rate_up_kib_s]),
        *add(
            RATE_DOWN,
            [_rate(v, v.limits.rate_down_kib_s) for v in visits if v.limits.rate_down_kib_s],
        ),
    ]


def _visit(one: Pass) -> bytes:
    quota = quota_until(one.limits.bytes or NO_QUOTA, one.used)
    return element(one.key, timeout_ms=one.left_ms, mark=one.mark, expression=quota)


def _rate(one: Pass, kib_s: int) -> bytes:
    """The kernel's bucket holds one second of the rate plus the burst."""
    rate = kib_s * 1024
    limit = limit_over(rate, max(0, MIN_BUCKET - rate))
    return element(one.key, timeout_ms=one.left_ms, expression=limit)
