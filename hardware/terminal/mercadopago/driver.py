"""A Mercado Pago Point terminal: `municipio.devices.CardTerminal` over the Orders API.

One thread asks and listens; callers never wait for the network, except in `query`. A node has no
public address, so polling is the truth; `notify` is a door for a notification that reached us some
other way, and only makes the next question sooner.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.terminal.causes import TerminalCause
from hardware.terminal.mercadopago.carrier import ANSWER_S, Carrier
from hardware.terminal.mercadopago.desk import OrderDesk
from hardware.terminal.mercadopago.order_book import OrderBook, OrderBookDamaged
from hardware.terminal.mercadopago.protocol import (
    Answer,
    Call,
    NoAnswer,
    checked_terminal_id,
    duration,
    read_hint,
)
from hardware.terminal.mercadopago.token import TokenProblem, read_token
from hardware.terminal.mercadopago.watch import TerminalWatch
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus

STATUS_EVERY_S = 15.0
_IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class PointAccount:
    """Where and as whom to ask. `expires_s`: how long an order waits for a card."""

    url: str
    terminal_id: str
    token_file: Path
    orders_file: Path
    expires_s: int


def no_date() -> float | None:
    """A node that never trusts its date: an order of an earlier life without a number stays unknown."""
    return None


class PointTerminal:
    """Call `close` when the program ends. Trouble with the account is a status, never an exception."""

    def __init__(
        self,
        account: PointAccount,
        wall: Callable[[], float | None] = no_date,
        *,
        status_every_s: float = STATUS_EVERY_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._change = threading.Condition()
        self._closing = False
        self._desk: OrderDesk | None = None
        self._watch: TerminalWatch | None = None
        self._thread: threading.Thread | None = None
        self._carrier: Carrier | None = None
        self._fault = self._set_up(account, wall, status_every_s, answer_s)
        if self._fault is None:
            self._thread = threading.Thread(target=self._run, name="point", daemon=True)
            self._thread.start()

    def status(self) -> DeviceStatus:
        with self._change:
            if self._fault is not None:
                return DeviceStatus(DeviceState.FAULT, self._fault.value)
            desk, watch = self._parts()
            if desk.is_damaged:
                return DeviceStatus(DeviceState.FAULT, TerminalCause.ORDERS_DAMAGED.value)
            told = watch.status(time.monotonic())
            if told.state is DeviceState.READY and desk.is_busy():
                return DeviceStatus(DeviceState.BUSY, TerminalCause.BUSY.value)
            return told

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        """Raises ValueError for a key, amount or reference that may not be sent."""
        with self._change:
            if self._desk is not None and not self._closing:
                self._desk.start(key, amount_centavos, reference, time.monotonic())
                self._change.notify_all()

    def charge(self, key: str) -> Charge:
        with self._change:
            if self._desk is None:
                return Charge(key, ChargeState.UNKNOWN)
            return self._desk.charge(key, time.monotonic())

    def query(self, key: str, timeout_s: float) -> Charge:
        """IDLE when it is proven that this node never asked; UNKNOWN without an answer in time."""
        deadline = time.monotonic() + timeout_s
        with self._change:
            if self._desk is None:
                return Charge(key, ChargeState.UNKNOWN)
            before = self._desk.ask(key, time.monotonic())
            self._change.notify_all()
            while self._desk.answers(key) == before and not self._closing:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    break
                self._change.wait(left_s)
            known = self._desk.charge(key, time.monotonic())
            heard = self._desk.answers(key) != before
            return known if heard else replace(known, state=ChargeState.UNKNOWN)

    def cancel(self, key: str) -> None:
        with self._change:
            if self._desk is not None:
                self._desk.cancel(key, time.monotonic())
                self._change.notify_all()

    def notify(self, body: bytes) -> None:
        """A notification's body, from wherever: nothing in it is believed but where to look."""
        order_id = read_hint(body)
        with self._change:
            if order_id and self._desk is not None:
                self._desk.hint(order_id, time.monotonic())
                self._change.notify_all()

    def close(self) -> None:
        with self._change:
            self._closing = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=15)
        if self._desk is not None:
            with self._change:
                self._desk.close()

    # --- inside

    def _set_up(
        self,
        account: PointAccount,
        wall: Callable[[], float | None],
        status_every_s: float,
        answer_s: float,
    ) -> TerminalCause | None:
        token = read_token(account.token_file)
        if isinstance(token, TokenProblem):
            return token.cause
        try:
            terminal_id = checked_terminal_id(account.terminal_id)
            duration(account.expires_s)
            self._carrier = Carrier(account.url, token, answer_s)
            book = OrderBook(account.orders_file)
        except OrderBookDamaged:
            return TerminalCause.ORDERS_DAMAGED
        except ValueError:
            return TerminalCause.BAD_SETTINGS
        self._desk = OrderDesk(book, terminal_id, account.expires_s, wall)
        self._watch = TerminalWatch(terminal_id, time.monotonic(), status_every_s)
        return None

    def _parts(self) -> tuple[OrderDesk, TerminalWatch]:
        assert self._desk is not None, "a terminal without a fault has a desk"
        assert self._watch is not None, "a terminal without a fault has a watch"
        return self._desk, self._watch

    def _run(self) -> None:
        assert self._carrier is not None, "the thread runs only when all is set up"
        while not self._closing:
            with self._change:
                due = self._next_call()
            if due is None:
                continue
            key, call = due
            answer = self._carrier.send(call)
            with self._change:
                self._answered(key, call, answer, time.monotonic())
                self._change.notify_all()
        self._carrier.close()

    def _next_call(self) -> tuple[str, Call] | None:
        """What is due; waits a while, in the lock that callers wake, when nothing is."""
        desk, watch = self._parts()
        now = time.monotonic()
        due = desk.next_call(now)
        if due is not None:
            return due
        listing = watch.next_call(now)
        if listing is not None:
            return "", listing
        pause = min(desk.next_at, watch.next_at, now + _IDLE_S) - now
        if pause > 0 and not self._closing:
            self._change.wait(pause)
        return None

    def _answered(self, key: str, call: Call, answer: Answer | NoAnswer, now: float) -> None:
        desk, watch = self._parts()
        if not key:
            watch.answered(answer, now)
            return
        desk.answered(key, call, answer, now)
        if isinstance(answer, Answer) and answer.status < 500:
            watch.reached(now)
        else:
            watch.failed(now)
