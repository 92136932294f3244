"""What a device is to the rest of the node: states, verdicts and Protocols that `hardware` implements.

Unknown is a state: a device that does not answer is `unknown`, never `ready`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from municipio.receipts import Paper


class DeviceState(StrEnum):
    ABSENT = "absent"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    ATTENTION = "attention"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """State of a device and a cause from that device's closed list.

    Empty when all is well; READY with a cause is a warning: it works, `paper_near_end`.
    """

    state: DeviceState
    cause: str = ""


class PrintVerdict(StrEnum):
    PENDING = "pending"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrintResult:
    verdict: PrintVerdict
    cause: str = ""


class Printer(Protocol):
    """A receipt printer. `print_rendered` blocks until a verdict; never call it on a screen's thread."""

    def status(self) -> DeviceStatus: ...

    def render(self, paper: Paper) -> bytes:
        """Exact bytes for a paper on this printer's profile."""
        ...

    def print_rendered(self, rendered: bytes) -> PrintResult: ...


class ChargeState(StrEnum):
    IDLE = "idle"
    REQUESTED = "requested"
    AT_TERMINAL = "at_terminal"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Charge:
    """What the terminal says about one idempotency key. Never carries a card number."""

    key: str
    state: ChargeState
    amount_centavos: int = 0
    authorization: str = ""
    card_last4: str = ""
    message: str = ""


class CardTerminal(Protocol):
    """A payment terminal. Calls return at once; poll `charge` for progress."""

    def status(self) -> DeviceStatus: ...

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        """Ask for a charge. The same key asked twice is one charge at the terminal."""
        ...

    def charge(self, key: str) -> Charge:
        """The newest known state of that charge, from the terminal if it answers."""
        ...

    def query(self, key: str, timeout_s: float) -> Charge:
        """Ask the terminal what became of a charge; UNKNOWN when it does not answer in time."""
        ...

    def cancel(self, key: str) -> None: ...
