"""When a site's Internet is open: weekly hours in the place's own time, and when they come again.

A range is `06:00-22:00` for every day, or `lun-vie 06:00-22:00`, `sab,dom 08:00-20:00`; one that ends
before it begins runs past midnight. No ranges at all means always. Nobody is locked out because a
clock is wrong: who asks must only do so with a time that can be believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = ("lun", "mar", "mie", "jue", "vie", "sab", "dom")
"""Monday first, as `datetime.weekday` counts; also accepted in English."""
_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANGE = re.compile(r"(?:([a-zé,-]+) )?([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Range:
    """Minutes after midnight; `until` may be greater than a day's minutes when it passes midnight."""

    days: frozenset[int]
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Closed only when there are ranges and none of them holds `local`."""

    ranges: tuple[Range, ...] = ()

    def is_open(self, local: datetime) -> bool:
        return not self.ranges or self.seconds_left(local) > 0

    def seconds_left(self, local: datetime) -> int:
        """Until the doors close; 0 when closed or when they never do."""
        now = local.hour * 60 + local.minute
        ends = [
            r.until + day * _DAY_MIN
            for r in self.ranges
            for day in (-1, 0)
            if (local.weekday() + day) % 7 in r.days
            and r.since + day * _DAY_MIN <= now < r.until + day * _DAY_MIN
        ]
        return (max(ends) - now) * 60 - local.second if ends else 0

    def next_opening(self, local: datetime) -> datetime | None:
        """The next beginning of a range after `local`, within eight days; None when always open."""
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [
            start
            for ahead in range(8)
            for r in self.ranges
            if (local.weekday() + ahead) % 7 in r.days
            and (start := midnight + timedelta(days=ahead, minutes=r.since)) > local
        ]
        return min(starts, default=None)


def parse_hours(texts: Sequence[str]) -> OpenHours:
    """Ranges as written in a site file. Raises ValueError with the text that is not one."""
    return OpenHours(tuple(_range(text) for text in texts))


def _range(text: str) -> Range:
    found = _RANGE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"«{text}» is not hours such as «06:00-22:00» or «lun-vie 06:00-22:00»")
    days, *clock = found.groups()
    since, until = int(clock[0]) * 60 + int(clock[1]), int(clock[2]) * 60 + int(clock[3])
    if max(since, until) > _DAY_MIN or since == until:
        raise ValueError(f"«{text}»: a range needs two different times up to 24:00")
    return Range(
        frozenset(_days(days or "lun-dom", text)), since, until + _DAY_MIN * (until < since)
    )


def _days(spelled: str, text: str) -> set[int]:
    days: set[int] = set()
    for part in spelled.replace("é", "e").split(","):
        first, dash, last = part.partition("-")
        try:
            since = _day(first)
            until = _day(last) if dash else since
        except ValueError:
            raise ValueError(f"«{text}»: a day is one of {', '.join(DAYS)}") from None
        days |= {(since + n) % 7 for n in range((until - since) % 7 + 1)}
    return days


def _day(name: str) -> int:
    return DAYS.index(name) if name in DAYS else _ENGLISH.index(name)
