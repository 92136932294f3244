"""A way to a device, whatever it is made of: a serial line, a USB pipe, a network socket.

Trouble is a value, every write ends in bounded time, and a port that said GONE is only good for
`close`. Drivers know this Protocol alone; `hardware.transport.address` opens the right one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

WRITE_TIMEOUT_S = 2.0
"""A printer that holds flow control would otherwise freeze its driver for ever."""

READ_MAX = 4096


class PortCause(StrEnum):
    MISSING = "missing"
    """Nothing is at that address."""
    BUSY = "busy"
    """Another program holds the port."""
    DENIED = "denied"
    BLOCKED = "blocked"
    """The device did not take the bytes within `WRITE_TIMEOUT_S`."""
    GONE = "gone"
    """The device vanished, or the port broke, while open."""


@dataclass(frozen=True, slots=True)
class PortProblem:
    cause: PortCause
    detail: str = ""


class Port(Protocol):
    def read(self, timeout_s: float) -> bytes | PortProblem:
        """Wait up to `timeout_s` for one byte, then take what else is already there."""
        ...

    def write(self, data: bytes) -> PortProblem | None:
        """Send all of `data`, or say why not. Part of it may have left before a problem."""
        ...

    def drop_input(self) -> None:
        """Forget bytes that nobody asked for."""
        ...

    def close(self) -> None: ...


class FarEnd(Protocol):
    """The device's side of a port, for simulators: see `hardware.transport.pty_end`."""

    path: str

    @property
    def is_plugged(self) -> bool: ...

    def open(self) -> str: ...

    def unplug(self) -> None: ...

    def replug(self) -> None: ...

    def send(self, data: bytes) -> None: ...

    def close(self) -> None: ...
