"""One answer of the city that ties a node's boot to the true time: the data of `node.clock_checked`.

A node counts milliseconds since it was switched on (CLOCK_BOOTTIME), and each fact carries that count.
When the city signs its own time into an acknowledgement, the node knows that at some moment between
asking (`asked_ms`) and hearing (`heard_ms`) it was `city_time`. Every other moment of the same boot
follows by counting, with an error that is half the round trip plus what the counter may drift; the
city computes it (`central.moments`). An acknowledgement that cleared facts is asked for this, because
nobody can have kept one from before those facts were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from municipio.facts import format_time, parse_time

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


def _is_count(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 13
