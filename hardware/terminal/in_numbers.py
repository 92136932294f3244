"""Both card terminals with time as a number and a fault on any transfer: for simulations of money.

The node's side is the real protocol of each adapter; the far end is its simulator, which outlives
the node's program. Nothing here sleeps: `run` moves the clock. `fault` is asked before each transfer
(its number, from 1) and names what goes wrong with it, or "".
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from hardware.terminal.far_terminal import FarTerminal
from hardware.terminal.mercadopago.desk import OrderDesk
from hardware.terminal.mercadopago.fake_orders import DEMO_TERMINAL, DEMO_TOKEN, FakePoint
from hardware.terminal.mercadopago.order_book import OrderBook
from hardware.terminal.mercadopago.protocol import Answer, Call, NoAnswer
from hardware.terminal.talk import TerminalTalk
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus

Fault = Callable[[int], str]
Decision = Literal["approve", "decline", "cancel", "expire", "doubt"]

SERIAL_FAULTS = ("short", "drop", "flip", "twice", "stall", "unplug", "killed", "killed_after")
POINT_FAULTS = (
    *("never_left", "lost_before", "lost_after", "error_before", "error_after"),
    *("garbage", "twice", "stall", "killed", "killed_after"),
)
STALL_S, UNPLUG_S = 4.0, 1.0
_NEVER_ARRIVES: dict[str, Answer | NoAnswer] = {
    "never_left": NoAnswer(left=False),
    "lost_before": NoAnswer(left=True),
    "error_before": Answer(500),
}
_NEVER_RETURNS: dict[str, Answer | NoAnswer] = {
    "lost_after": NoAnswer(left=True),
    "error_after": Answer(503),
}


class ProgramDied(BaseException):
    """The node's program is gone in the middle of a call; `reborn` starts the next one."""


def no_fault(_: int) -> str:
    return ""


class SerialInNumbers:
    """`EcrTerminal` and a terminal at the far end of a bad cable."""

    faults = SERIAL_FAULTS
    step_s = 0.05

    def __init__(self, *, think_s: float = 1.0, expire_s: float = 30.0) -> None:
        self.now = 0.0
        self.fault: Fault = no_fault
        self.transfers = 0
        self._there: deque[bytes] = deque()
        self._back = bytearray()
        self._stalled_until = self._unplugged_until = 0.0
        self.far = FarTerminal(
            self._back.extend, lambda: self.now, think_s=think_s, expire_s=expire_s
        )
        self.reborn()

    def reborn(self) -> None:
        self.talk = TerminalTalk(self.now)
        self.talk.plugged(self.now)
        self._plugged = True

    def close(self) -> None:
        """Nothing is held."""

    def step(self) -> None:
        self.now += self.step_s
        self._keep_cable()
        if self._plugged:
            out = self.talk.tick(self.now)
            if out:
                self._carry(out, self._there.append)
        if self.now >= self._stalled_until:
            while self._there:
                self.far.receive(self._there.popleft())
        self.far.pass_time()
        heard, self._back[:] = bytes(self._back), b""
        if heard and self._plugged:
            self._carry(heard, self._hear)
        self.talk.check_times(self.now)

    def _hear(self, data: bytes) -> None:
        self.talk.feed(data, self.now)

    def _keep_cable(self) -> None:
        unplugged = self.now < self._unplugged_until
        if unplugged and self._plugged:
            self._plugged = False
            self._there.clear()
            self.talk.unplugged()
        elif not unplugged and not self._plugged:
            self._plugged = True
            self.far.new_cable()
            self.talk.plugged(self.now)

    def _carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        self.transfers += 1
        fault = self.fault(self.transfers)
        middle = len(data) // 2
        match fault:
            case "short":
                data = data[:middle]
            case "drop":
                data = data[:middle] + data[middle + 1 :]
            case "flip":
                bit = 1 << (self.transfers % 8)
                data = data[:middle] + bytes((data[middle] ^ bit,)) + data[middle + 1 :]
            case "twice":
                data = data + data
            case "stall":
                self._stalled_until = self.now + STALL_S
            case "unplug":
                self._unplugged_until = self.now + UNPLUG_S
                return
            case "killed":
                raise ProgramDied
        deliver(data)
        if fault == "killed_after":
            raise ProgramDied

    # --- municipio.devices.CardTerminal

    def status(self) -> DeviceStatus:
        return self.talk.status(self.now)

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        self.talk.start(key, amount_centavos, reference, self.now)

    def charge(self, key: str) -> Charge:
        return self.talk.charge(key)

    def query(self, key: str, timeout_s: float) -> Charge:
        before, end = self.talk.ask(key), self.now + timeout_s
        while self.talk.answers(key) == before and self.now < end:
            self.step()
        heard = self.talk.answers(key) != before
        known = self.talk.charge(key)
        return known if heard else replace(known, state=ChargeState.UNKNOWN)

    def cancel(self, key: str) -> None:
        self.talk.cancel(key)

    # --- the person and the bank

    def decide(self, decision: Decision) -> None:
        if any(c["state"] == ChargeState.AT_TERMINAL.value for c in self.far.charges()):
            getattr(self.far, "expire" if decision == "doubt" else decision)()

    def approve_late(self, key: str) -> bool:
        """The bank approves what was already expired or cancelled there; False: no such charge."""
        ended = (ChargeState.CANCELLED.value, ChargeState.EXPIRED.value)
        found = any(c["key"] == key and c["state"] in ended for c in self.far.charges())
        if found:
            self.far.approve(key)
        return found

    def hold(self) -> None:
        self.far.hold()

    def approved(self) -> dict[str, int]:
        """Centavos that the bank took, by idempotency key."""
        taken = (c for c in self.far.charges() if c["state"] == ChargeState.APPROVED.value)
        return {str(c["key"]): int(str(c["amount_centavos"])) for c in taken}


class PointInNumbers:
    """`PointTerminal` and the payment service at the far end of a bad network."""

    faults = POINT_FAULTS
    step_s = 0.1

    def __init__(self, orders_file: Path, *, think_s: float = 1.0) -> None:
        self.now = 0.0
        self.fault: Fault = no_fault
        self.transfers = 0
        self.far = FakePoint(lambda: self.now, think_s=think_s)
        self._file = orders_file
        self._stalled_until = 0.0
        OrderBook(orders_file).close()
        self._desk: OrderDesk | None = None
        self.reborn()

    def reborn(self) -> None:
        self.close()
        book = OrderBook(self._file)
        self._desk = OrderDesk(book, DEMO_TERMINAL, 30, lambda: 1_770_000_000 + self.now)

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    @property
    def desk(self) -> OrderDesk:
        assert self._desk is not None, "made when the terminal is"
        return self._desk

    def step(self) -> None:
        self.now += self.step_s
        self.far.pass_time()
        due = self.desk.next_call(self.now) if self.now >= self._stalled_until else None
        if due is not None:
            self.desk.answered(*due, self._carry(due[1]), self.now)

    def _carry(self, call: Call) -> Answer | NoAnswer:
        self.transfers += 1
        fault = self.fault(self.transfers)
        if fault == "killed":
            raise ProgramDied
        if fault in _NEVER_ARRIVES:
            return _NEVER_ARRIVES[fault]
        if fault == "stall":
            self._stalled_until = self.now + STALL_S
        answer = self._send(call)
        if fault == "twice":
            answer = self._send(call)
        if fault == "killed_after":
            raise ProgramDied
        if fault == "garbage":
            return Answer(answer.status, answer.body[: len(answer.body) // 2])
        return _NEVER_RETURNS.get(fault, answer)

    def _send(self, call: Call) -> Answer:
        headers = {"authorization": f"Bearer {DEMO_TOKEN}", **dict(call.headers)}
        headers["x-idempotency-key"] = call.idempotency_key
        status, document = self.far.handle(call.method, call.path, headers, call.body)
        return Answer(status, json.dumps(document).encode())

    # --- municipio.devices.CardTerminal

    def status(self) -> DeviceStatus:
        ready = not self.desk.is_busy() and not self.desk.is_damaged
        return DeviceStatus(DeviceState.READY if ready else DeviceState.BUSY)

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        self.desk.start(key, amount_centavos, reference, self.now)

    def charge(self, key: str) -> Charge:
        return self.desk.charge(key, self.now)

    def query(self, key: str, timeout_s: float) -> Charge:
        before, end = self.desk.ask(key, self.now), self.now + timeout_s
        while self.desk.answers(key) == before and self.now < end:
            self.step()
        known = self.charge(key)
        heard = self.desk.answers(key) != before
        return known if heard else replace(known, state=ChargeState.UNKNOWN)

    def cancel(self, key: str) -> None:
        self.desk.cancel(key, self.now)

    # --- the person and the bank

    def decide(self, decision: Decision) -> None:
        words = {"approve": "processed", "decline": "failed", "cancel": "canceled"}
        words |= {"expire": "expired", "doubt": "action_required"}
        waiting = ("at_terminal", "action_required")
        shown = [o.key for o in self.far.orders.values() if o.status in waiting]
        if shown:
            self.far.decide(words[decision], shown[-1])

    def approve_late(self, key: str) -> bool:
        """The bank approves what was already expired or cancelled there; False: no such charge."""
        ended = ("canceled", "expired")
        found = any(o.key == key and o.status in ended for o in self.far.orders.values())
        if found:
            self.far.decide("processed", key)
        return found

    def hold(self) -> None:
        self.far.mode = "hold"

    def approved(self) -> dict[str, int]:
        """Centavos that the bank took, by idempotency key."""
        paid = (o for o in self.far.orders.values() if o.paid)
        return {o.key: int(o.amount.replace(".", "")) for o in paid}


VirtualTerminal = SerialInNumbers | PointInNumbers
