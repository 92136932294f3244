"""What a gate is: visits by address, five verbs, and the closed set of what can go wrong.

A visit is named by the IP address that asked; which hardware address stands behind it is known to
the gate alone and never leaves it. `device` is that day's pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_VISIT_S = 24 * 60 * 60
MAX_VISIT_BYTES = 1 << 50
MAX_RATE_KIB_S = 1 << 21


@dataclass(frozen=True, slots=True)
class Limits:
    """What a visit may use besides time; 0 is no limit. Out of range raises ValueError."""

    bytes: int = 0
    """Both directions together; what the node itself serves does not count."""
    rate_down_kib_s: int = 0
    rate_up_kib_s: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bytes <= MAX_VISIT_BYTES:
            raise ValueError(f"bytes are from 0 to {MAX_VISIT_BYTES}")
        if not 0 <= max(self.rate_down_kib_s, self.rate_up_kib_s) <= MAX_RATE_KIB_S:
            raise ValueError(f"a rate is from 0 to {MAX_RATE_KIB_S} KiB/s")
        if min(self.rate_down_kib_s, self.rate_up_kib_s) < 0:
            raise ValueError("a rate is not negative")


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Visit:
    """A device as the gate knows it. `seconds_left`, rounded up, is 0 for a device that may not pass."""

    ip: str
    device: str
    seconds_left: int
    bytes_used: int = 0
    bytes_left: int | None = None
    """None without a limit of bytes, or without a visit."""
    rotating: bool = False
    """Its hardware address is locally administered: made up by the device, and likely to change."""

    @property
    def is_open(self) -> bool:
        return self.seconds_left > 0 and self.bytes_left != 0


class EndCause(StrEnum):
    TIME = "time"
    BYTES = "bytes"
    REVOKED = "revoked"
    REPLACED = "replaced"
    """A new grant took its place."""


@dataclass(frozen=True, slots=True)
class EndedVisit:
    """A visit that is over: what it used, for hourly totals. Each is told once."""

    device: str
    cause: EndCause
    seconds: int
    bytes: int


@dataclass(frozen=True, slots=True)
class GateStats:
    """Counters since the gate started; `open` is now. No counter is about one device."""

    kind: str
    open: int
    granted: int
    revoked: int
    refused: int
    ended_by_time: int = 0
    ended_by_bytes: int = 0
    bytes: int = 0
    """Both directions of all visits, open and ended."""
    max_open: int = 0
    """How many may be open at once; 0 is no limit."""
    whole: bool = True
    """The firewall is as it was built, at the last check."""
    rebuilt: int = 0
    """How often it was not, and was built again."""
    routers: int = 0
    """Devices on the guest side that forward for others: an access point that does NAT, or a shared phone."""
    crowded: int = 0
    """Hardware addresses with many IPv4 addresses behind them: an access point that hides its guests."""


class GateCause(StrEnum):
    NO_ANSWER = "no_answer"
    """The gate's daemon is not there or does not answer in time."""
    BAD_REQUEST = "bad_request"
    UNKNOWN_NEIGHBOUR = "unknown_neighbour"
    """That address is not on the guest side of this node."""
    FULL = "full"
    """As many devices as the site allows are open; nothing was opened."""
    FIREWALL = "firewall"
    """The kernel refused the change; nothing was opened."""


@dataclass(frozen=True, slots=True)
class GateTrouble:
    """The verb did nothing."""

    cause: GateCause
    detail: str = ""


class Gate(Protocol):
    """The five verbs. Every call returns within a second and may come from any thread."""

    def grant(self, ip: str, seconds: int, limits: Limits = NO_LIMITS) -> Visit | GateTrouble:
        """Let the device behind `ip` pass for `seconds` from now, replacing what it had."""
        ...

    def revoke(self, ip: str) -> Visit | GateTrouble:
        """End a visit at once. Revoking a closed one is not trouble."""
        ...

    def look(self, ip: str) -> Visit | GateTrouble:
        """`list` for one address, open or not."""
        ...

    def visits(self) -> tuple[Visit, ...] | GateTrouble:
        """`list`: every open visit."""
        ...

    def ended(self) -> tuple[EndedVisit, ...] | GateTrouble:
        """`list` of what ended since it was last asked; each visit is told once, the oldest first."""
        ...

    def restore(self) -> int | GateTrouble:
        """Rebuild the tables from the live visits; how many are open."""
        ...

    def stats(self) -> GateStats | GateTrouble: ...
