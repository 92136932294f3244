"""What a gate is: visits by address, five verbs, and the closed set of what can go wrong.

A visit is named by the IP address that asked; which hardware address stands behind it is known to
the gate alone and never leaves it. `device` is that day's pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_VISIT_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Visit:
    """A device as the gate knows it. `seconds_left` is 0 for a device that may not pass."""

    ip: str
    device: str
    seconds_left: int

    @property
    def is_open(self) -> bool:
        return self.seconds_left > 0


@dataclass(frozen=True, slots=True)
class GateStats:
    """Counters since the gate started; `open` is now. No counter is about one device."""

    kind: str
    open: int
    granted: int
    revoked: int
    refused: int


class GateCause(StrEnum):
    NO_ANSWER = "no_answer"
    """The gate's daemon is not there or does not answer in time."""
    BAD_REQUEST = "bad_request"
    UNKNOWN_NEIGHBOUR = "unknown_neighbour"
    """That address is not on the guest side of this node."""
    FIREWALL = "firewall"
    """The kernel refused the change; nothing was opened."""


@dataclass(frozen=True, slots=True)
class GateTrouble:
    """The verb did nothing."""

    cause: GateCause
    detail: str = ""


class Gate(Protocol):
    """The five verbs. Every call returns within a second and may come from any thread."""

    def grant(self, ip: str, seconds: int) -> Visit | GateTrouble:
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

    def restore(self) -> int | GateTrouble:
        """Rebuild the tables from the live visits; how many are open."""
        ...

    def stats(self) -> GateStats | GateTrouble: ...
