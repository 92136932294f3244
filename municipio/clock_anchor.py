"""When did it happen, on a node whose clock nobody believes? From one answer of the city per boot.

A node counts milliseconds since it was switched on (CLOCK_BOOTTIME), and each fact carries that count.
When the city signs its own time into an acknowledgement, the node knows that at some moment between
asking (`asked_ms`) and hearing (`heard_ms`) it was `city_time`; it tells so in `node.clock_checked`.
Every other moment of the same boot follows by counting, with an error that is half the round trip plus
what the counter may drift. Pure; used by the city, and by tests of both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from municipio.facts import format_time, parse_time

DRIFT = 200e-6
"""Most that a counter may gain or lose: crystals of small boards are good for 100 ppm, cold included."""
LATEST_YEAR = 9000
"""Beyond it no sum of times could be written any more."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """In `boot`, somewhere between two counts of milliseconds, it was `city_time`."""

    boot: str
    city_time: datetime
    asked_ms: int
    heard_ms: int

    def document(self) -> dict[str, Any]:
        """The data of a `node.clock_checked` fact, which itself names the boot."""
        return {
            "city_time": format_time(self.city_time),
            "asked_ms": str(self.asked_ms),
            "heard_ms": str(self.heard_ms),
        }


@dataclass(frozen=True, slots=True)
class Between:
    """It happened not before `earliest` and not after `latest`."""

    earliest: datetime
    latest: datetime

    @property
    def error_s(self) -> float:
        """Half the width: `time` is at most so many seconds wrong."""
        return (self.latest - self.earliest).total_seconds() / 2

    @property
    def time(self) -> datetime:
        return self.earliest + (self.latest - self.earliest) / 2


def read_anchor(boot: str, data: Mapping[str, Any]) -> Anchor | None:
    """The anchor in a `node.clock_checked` fact's data; None when it is not one."""
    told, asked, heard = (data.get(name) for name in ("city_time", "asked_ms", "heard_ms"))
    if not (isinstance(told, str) and _is_count(asked) and _is_count(heard)):
        return None
    try:
        time = parse_time(told)
    except ValueError:
        return None
    anchor = Anchor(boot, time, int(str(asked)), int(str(heard)))
    return anchor if anchor.asked_ms <= anchor.heard_ms and time.year < LATEST_YEAR else None


def when(anchors: Iterable[Anchor], boot: str, boot_ms: int) -> Between | None:
    """When the boot's count was `boot_ms`, by all anchors of that boot; None without one.

    Anchors that contradict each other (somebody forged one) leave the narrowest of them.
    """
    found = [_by_one(anchor, boot_ms) for anchor in anchors if anchor.boot == boot]
    if not found:
        return None
    both = Between(max(b.earliest for b in found), min(b.latest for b in found))
    return both if both.earliest <= both.latest else min(found, key=lambda b: b.error_s)


def started_at(anchors: Iterable[Anchor], boot: str) -> Between | None:
    """When that boot began: what happened in an earlier boot was before it."""
    return when(anchors, boot, 0)


def _by_one(anchor: Anchor, boot_ms: int) -> Between:
    middle = (anchor.asked_ms + anchor.heard_ms) / 2
    drift = timedelta(milliseconds=abs(boot_ms - middle) * DRIFT)
    earliest = anchor.city_time + timedelta(milliseconds=boot_ms - anchor.heard_ms) - drift
    latest = anchor.city_time + timedelta(milliseconds=boot_ms - anchor.asked_ms) + drift
    return Between(earliest.astimezone(UTC), latest.astimezone(UTC))


def _is_count(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 13
