"""The whole cash bus, sans-IO: who is asked what and when, and what everybody else may know.

`tick(now)` gives bytes to send, `feed(data, now)` takes what came back; the rest is
`municipio.devices.CashDevice` with the time as an argument. One question is on the wire at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from hardware.cash.acceptor import Acceptor
from hardware.cash.bus import Bus, Reply, Request
from hardware.cash.coins import CoinAcceptor
from hardware.cash.hopper import Hopper
from hardware.cash.notes import NoteValidator
from hardware.cash.status import CashCause
from municipio.devices import (
    CashEvent,
    CashGate,
    CashPosition,
    CashUnit,
    DeviceState,
    DeviceStatus,
    Payout,
    PayoutState,
)


@dataclass(frozen=True, slots=True)
class CashSetup:
    """ccTalk addresses (0: not there) and how the hopper is told to pay."""

    coin_address: int = 2
    note_address: int = 40
    hopper_address: int = 0
    hopper_coin_centavos: int = 100
    hopper_uses_key: bool = False


class Part(Protocol):
    """One peripheral as the bus sees it."""

    def next(self, now: float) -> Request | None: ...

    def hear(self, reply: Reply, now: float) -> None: ...

    def lose(self, now: float) -> None: ...


class CashProtocol:
    def __init__(self, setup: CashSetup) -> None:
        self._bus = Bus()
        self._events: deque[CashEvent] = deque()
        self._acceptors: dict[CashUnit, Acceptor] = {}
        if setup.coin_address:
            coins = CoinAcceptor(setup.coin_address, self._events.append, self._waiting)
            self._acceptors[CashUnit.COINS] = coins
        self._notes: NoteValidator | None = None
        if setup.note_address:
            self._notes = NoteValidator(setup.note_address, self._events.append, self._waiting)
            self._acceptors[CashUnit.NOTES] = self._notes
        self._hopper: Hopper | None = None
        if setup.hopper_address:
            self._hopper = Hopper(
                setup.hopper_address, setup.hopper_coin_centavos, uses_key=setup.hopper_uses_key
            )
        parts = (*self._acceptors.values(), self._hopper)
        self._parts: deque[Part] = deque(p for p in parts if p is not None)
        self._asked: Part | None = None
        self._is_resumed = False

    # --- the wire ---------------------------------------------------------------------------

    def tick(self, now: float) -> bytes:
        """What to send now; nothing before `resume`, so that no coin is read without a journal."""
        out, reply = self._bus.tick(now)
        self._hand(reply, now)
        if out or not self._is_resumed or not self._bus.is_idle:
            return out
        for _ in range(len(self._parts)):
            part = self._parts[0]
            self._parts.rotate(-1)
            request = part.next(now)
            if request is not None:
                self._asked = part
                return self._bus.ask(request, now)
        return b""

    def feed(self, data: bytes, now: float) -> None:
        self._hand(self._bus.feed(data, now), now)

    def disconnected(self, now: float) -> None:
        """The port is gone; whoever was asked does not answer."""
        self._hand(self._bus.reset(), now)
        for part in self._parts:
            part.lose(now)

    def _hand(self, reply: Reply | None, now: float) -> None:
        if reply is not None and self._asked is not None:
            self._asked.hear(reply, now)

    def _waiting(self) -> int:
        return len(self._events)

    # --- what everybody else may know and want ----------------------------------------------

    def status(self, now: float) -> DeviceStatus:
        units = [a.status(now) for a in self._acceptors.values()]
        if not units:
            return DeviceStatus(DeviceState.ABSENT)
        trouble = next((u.cause for u in units if u.cause), "")
        if not trouble and self._hopper is not None:
            hopper = self._hopper.status(now)
            trouble = hopper.cause if hopper.state is not DeviceState.STARTING else ""
        if any(a.is_usable for a in self._acceptors.values()):
            return DeviceStatus(DeviceState.READY, trouble)
        if any(u.state is DeviceState.STARTING for u in units):
            return DeviceStatus(DeviceState.STARTING)
        if all(u.state is DeviceState.UNKNOWN for u in units):
            return DeviceStatus(DeviceState.UNKNOWN, CashCause.NO_ANSWER.value)
        return DeviceStatus(DeviceState.ATTENTION, trouble)

    def unit_status(self, unit: CashUnit, now: float) -> DeviceStatus:
        part = self._hopper if unit is CashUnit.HOPPER else self._acceptors.get(unit)
        return DeviceStatus(DeviceState.ABSENT) if part is None else part.status(now)

    def denominations(self, unit: CashUnit) -> frozenset[int]:
        if unit is CashUnit.HOPPER:
            return frozenset() if self._hopper is None else frozenset({self._hopper.coin_centavos})
        part = self._acceptors.get(unit)
        return frozenset() if part is None or not part.is_usable else part.denominations

    def resume(self, positions: tuple[CashPosition, ...], pending_note_centavos: int) -> None:
        """Once per life of this object; a second call only says that no stack order is open."""
        if not self._is_resumed:
            for position in positions:
                if position.unit in self._acceptors:
                    self._acceptors[position.unit].position = position
            if self._notes is not None:
                self._notes.pending = pending_note_centavos
        elif self._notes is not None and not pending_note_centavos:
            self._notes.forget_order()
        self._is_resumed = True

    def accept(self, coins: frozenset[int], notes: frozenset[int]) -> None:
        for unit, wanted in ((CashUnit.COINS, coins), (CashUnit.NOTES, notes)):
            if unit in self._acceptors:
                self._acceptors[unit].wanted = wanted

    def gate(self) -> CashGate:
        parts = list(self._acceptors.values())
        if any(p.wanted for p in parts):
            return CashGate.OPEN if any(p.is_open for p in parts) else CashGate.MOVING
        if not all(p.has_contact for p in parts):
            return CashGate.UNKNOWN
        quiet = all(p.is_closed for p in parts) and not self._events
        return CashGate.CLOSED if quiet else CashGate.MOVING

    def events(self) -> tuple[CashEvent, ...]:
        return tuple(self._events)

    def confirm(self, event: CashEvent) -> None:
        if self._events and self._events[0] == event:
            self._events.popleft()

    def route(self, *, stack: bool) -> None:
        if self._notes is not None:
            self._notes.route(stack=stack)

    def hopper_count(self) -> int | None:
        return None if self._hopper is None else self._hopper.count

    def dispense(self, coins: int, now: float) -> None:
        if self._hopper is not None and coins > 0:
            self._hopper.dispense(coins, now)

    def payout(self, now: float) -> Payout:
        if self._hopper is None:
            return Payout(PayoutState.NOT_SENT)
        return self._hopper.payout()
