"""What a node knows about time, as values. Reading a clock happens in `sync.clock`."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import msgspec


class TimeQuality(StrEnum):
    """How far a wall-clock reading can be believed."""

    SYNCED = "synced"
    """Disciplined by the network since this boot."""
    RTC = "rtc"
    """From a battery-backed clock."""
    FLOOR = "floor"
    """Not earlier than the truth's lower bound (last proof of time); may be far behind."""
    UNKNOWN = "unknown"


TRUSTED_QUALITIES = frozenset({TimeQuality.SYNCED, TimeQuality.RTC})


class Instant(msgspec.Struct, frozen=True):
    """One reading of every clock the node has.

    `time` is timezone-aware UTC, or None when nothing is known. `boot` is the kernel's boot id and
    `boot_ms` milliseconds of CLOCK_BOOTTIME: the only pair that orders events of one boot.
    """

    time: datetime | None
    quality: TimeQuality
    boot: str
    boot_ms: int

    @property
    def is_trusted(self) -> bool:
        """True when a deadline may be judged by this reading (design: money expires on the safe side)."""
        return self.time is not None and self.quality in TRUSTED_QUALITIES

    def local_date(self, zone: ZoneInfo) -> date | None:
        """The civil date in the city's zone, or None when the time is not known."""
        return None if self.time is None else self.time.astimezone(zone).date()


@runtime_checkable
class FloorClock(Protocol):
    """A clock that can be told a lower bound of the time."""

    def raise_floor(self, proof: datetime) -> None: ...


class Clock(Protocol):
    """Anything that can say what time it is, and how sure it is."""

    def now(self) -> Instant: ...
