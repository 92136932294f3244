"""May this device come in now, and for how much? A pure rule over the site's profile.

Rule: whoever is refused learns why and when to come back, never just no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from captive_portal.gate.visits import MAX_VISIT_S
from captive_portal.site import SiteProfile

MIN_SECONDS = 30
MIN_BYTES = 64 * 1024
"""Less than this is not worth a tap: the day counts as used up."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a device has used today, and until when it rests (the portal's monotonic clock)."""

    seconds: int = 0
    bytes: int = 0
    rest_until_ms: int = 0
    resets_in_s: int = 0
    """Until its day begins again."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A visit that may begin. `bytes` of both directions, 0: no limit."""

    seconds: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Closed:
    opens: datetime | None
    """In the place's own time; None when no opening is near."""


@dataclass(frozen=True, slots=True)
class Full:
    devices: int


class Spent(StrEnum):
    TIME = "time"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class DayUsedUp:
    what: Spent
    resets_in_s: int


@dataclass(frozen=True, slots=True)
class Resting:
    seconds: int


Refusal = Closed | Full | DayUsedUp | Resting


def admit(
    profile: SiteProfile, used: Used, *, local: datetime | None, now_ms: int, devices: int
) -> Allowance | Refusal:
    """`local` is the place's time when it can be believed, else None; `devices` are open visits."""
    if local is not None and not profile.open_hours.is_open(local):
        return Closed(profile.open_hours.next_opening(local))
    seconds, size = _what_is_left(profile, used)
    if profile.daily_s and seconds < MIN_SECONDS:
        return DayUsedUp(Spent.TIME, used.resets_in_s)
    if profile.daily_bytes and size < MIN_BYTES:
        return DayUsedUp(Spent.BYTES, used.resets_in_s)
    if used.rest_until_ms > now_ms:
        return Resting((used.rest_until_ms - now_ms + 999) // 1000)
    if profile.max_devices and devices >= profile.max_devices:
        return Full(devices)
    if local is not None and (closes := profile.open_hours.seconds_left(local)):
        seconds = min(seconds, closes)
    return Allowance(seconds, size)


def _what_is_left(profile: SiteProfile, used: Used) -> tuple[int, int]:
    """Seconds and bytes of the next visit; bytes are 0 only when nothing limits them."""
    seconds = profile.session_s or MAX_VISIT_S
    if profile.daily_s:
        seconds = min(seconds, max(0, profile.daily_s - used.seconds))
    size = profile.session_bytes
    if profile.daily_bytes:
        left = max(0, profile.daily_bytes - used.bytes)
        size = min(size, left) if size else left
    return seconds, size
