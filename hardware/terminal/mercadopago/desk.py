"""Which request comes next for each open charge, and what each answer means for it. Sans-IO.

The rules that keep money safe: what is asked is on the disk before the first byte (`order_book`);
an order is only ever created under the charge's own idempotency key, so that repeating the request
is a question and not a second charge; the question is repeated only while the service surely still
remembers the key; and an order that turns out to be new when nobody waits for it is cancelled at
once. Whatever cannot be proven stays unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from hardware.terminal.causes import TerminalCause
from hardware.terminal.mercadopago.order_book import Asked, OrderBook, OrderBookDamaged
from hardware.terminal.mercadopago.protocol import (
    Answer,
    Call,
    NoAnswer,
    OrderTold,
    Refusal,
    cancel_order,
    create_order,
    get_order,
    order_body,
    read_order,
)
from hardware.terminal.protocol import ChargeBook, Word
from municipio.devices import Charge, ChargeState

SEND_BY_S = 6.0
"""A charge that the service did not take in this time is not wanted any more."""
REPEAT_WITHIN_S = 20 * 3600
"""The service remembers an idempotency key for 24 hours; a margin for clocks that differ."""
POLL_S, POLL_MAX_S = 1.0, 30.0
CANCEL_AGAIN_S = 10.0
SILENCE_S = 3.0
KEY_REUSED = "idempotency_key_already_used"
BUSY_CODE = "already_queued_order_on_terminal"


@dataclass(slots=True)
class _Open:
    """What this life knows of one charge beyond the file. Times are this life's clock."""

    asked: Asked
    send_by: float
    asked_now: float | None
    """When it was first asked in this life; None: in an earlier one."""
    next_at: float
    maybe_sent: bool
    heard_at: float
    is_sending: bool = False
    wants_cancel: bool = False
    cancel_at: float = 0.0
    pause_s: float = POLL_S


class OrderDesk:
    """Not thread-safe. `now` is a clock that never goes back; `wall` Unix seconds, or None while
    this node's date cannot be trusted."""

    def __init__(
        self, book: OrderBook, terminal_id: str, expires_s: int, wall: Callable[[], float | None]
    ) -> None:
        self._book = book
        self._terminal_id = terminal_id
        self._expires_s = expires_s
        self._wall = wall
        self._charges = ChargeBook()
        self._open: dict[str, _Open] = {}
        self._answers: dict[str, int] = {}
        self.is_damaged = False

    def close(self) -> None:
        self._book.close()

    # --- what the node asks

    def start(self, key: str, amount_centavos: int, reference: str, now: float) -> None:
        """Raises ValueError for an amount or a reference that may not be sent."""
        body = order_body(amount_centavos, reference, self._terminal_id, self._expires_s)
        if self._book.holds(key):
            self.ask(key, now)
            return
        if not self._charges.start(key, amount_centavos):
            return
        asked = Asked(key, amount_centavos, body.decode(), int(self._wall() or 0))
        try:
            self._book.put(asked)
        except OrderBookDamaged:
            self.is_damaged = True
            self._charges.say(key, Word.NEVER_SENT, TerminalCause.ORDERS_DAMAGED.value)
            return
        self._open[key] = _Open(asked, now + SEND_BY_S, now, now, maybe_sent=False, heard_at=now)

    def charge(self, key: str, now: float) -> Charge:
        known = self._charges.get(key)
        if known is None:
            self.ask(key, now)
            known = self._charges.get(key)
        return known or Charge(key, ChargeState.UNKNOWN)

    def ask(self, key: str, now: float) -> int:
        """Ask about `key` now; compare `answers` later with the count returned."""
        before = self.answers(key)
        self._charges.ask_about(key)
        order = self._open.get(key)
        if order is None:
            order = self._from_book(key, now)
        if order is not None:
            order.next_at = now
        return before

    def answers(self, key: str) -> int:
        return self._answers.get(key, 0)

    def cancel(self, key: str, now: float) -> None:
        self.charge(key, now)
        order = self._open.get(key)
        if order is None:
            return
        order.wants_cancel = True
        if not (order.maybe_sent or order.is_sending or order.asked.order):
            self._void(order, "")

    def hint(self, order_id: str, now: float) -> None:
        """A notification named this order: ask sooner. Believed for nothing else."""
        for key, order in self._open.items():
            if order.asked.order == order_id:
                self.ask(key, now)

    # --- what to send

    def is_busy(self) -> bool:
        keys = [c for k in self._charges.open_keys() if (c := self._charges.get(k)) is not None]
        return any(c.state is not ChargeState.UNKNOWN for c in keys)

    @property
    def next_at(self) -> float:
        """When `next_call` may have something; infinity when nothing is open."""
        return min((self._due(o) for o in self._wanted()), default=float("inf"))

    def next_call(self, now: float) -> tuple[str, Call] | None:
        for order in sorted(self._wanted(), key=self._due):
            if self._due(order) > now:
                continue
            call = self._call(order, now)
            if call is not None:
                return order.asked.key, call
        return None

    def answered(self, key: str, call: Call, answer: Answer | NoAnswer, now: float) -> None:
        order = self._open.get(key)
        if order is None:
            return
        told = read_order(answer)
        order.is_sending = False
        if isinstance(told, OrderTold) and told.reference == _reference(order.asked):
            self._told(order, told, now)
        elif call.path == "/v1/orders":
            self._not_created(order, told, now)
        elif call.method == "GET":
            if isinstance(told, Refusal) or now - order.heard_at > SILENCE_S:
                self._charges.say(key, Word.SILENCE)
            self._later(order, now)
        else:
            order.next_at = now

    # --- inside

    def _wanted(self) -> list[_Open]:
        """Open charges, and settled ones that somebody asked about again."""
        open_keys = set(self._charges.open_keys())
        return [o for k, o in self._open.items() if k in open_keys or o.next_at < float("inf")]

    def _due(self, order: _Open) -> float:
        if order.wants_cancel and order.asked.order and self._is_live(order.asked.key):
            return min(order.next_at, order.cancel_at)
        return order.next_at

    def _is_live(self, key: str) -> bool:
        known = self._charges.get(key)
        return known is not None and known.state in {ChargeState.REQUESTED, ChargeState.AT_TERMINAL}

    def _call(self, order: _Open, now: float) -> Call | None:
        key = order.asked.key
        if order.asked.order:
            if order.wants_cancel and self._is_live(key) and now >= order.cancel_at:
                order.cancel_at = now + CANCEL_AGAIN_S
                known = self._charges.get(key)
                shown = known is not None and known.state is ChargeState.AT_TERMINAL
                return cancel_order(order.asked.order, key, at_terminal=shown)
            return get_order(order.asked.order)
        if now > order.send_by and not order.maybe_sent:
            self._void(order, TerminalCause.NO_ANSWER.value)
            return None
        if not self._is_remembered(order, now):
            self._later(order, now)
            return None
        order.wants_cancel = order.wants_cancel or now > order.send_by
        order.is_sending = True
        return create_order(key, order.asked.body.encode())

    def _is_remembered(self, order: _Open, now: float) -> bool:
        """Would the service surely know the key again, had it seen it?"""
        if order.asked_now is not None:
            return now - order.asked_now < REPEAT_WITHIN_S
        wall = self._wall()
        if wall is None or not order.asked.asked_at:
            return False
        return 0 <= wall - order.asked.asked_at < REPEAT_WITHIN_S

    def _told(self, order: _Open, told: OrderTold, now: float) -> None:
        key = order.asked.key
        order.heard_at = now
        if not order.asked.order:
            order.maybe_sent = True
            self._mark(order, told.id)
        if told.id != order.asked.order:
            self._charges.say(key, Word.SILENCE)
            self._later(order, now)
            return
        before = self._charges.get(key)
        self._hear(Charge(key, told.state, told.amount_centavos, told.payment_id))
        after = self._charges.get(key)
        if key not in self._charges.open_keys():
            order.next_at = float("inf")
        elif told.state is ChargeState.UNKNOWN or before == after:
            self._later(order, now)
        else:
            order.pause_s = POLL_S
            order.next_at = now + POLL_S

    def _mark(self, order: _Open, order_id: str) -> None:
        try:
            self._book.mark(order.asked.key, order=order_id)
        except OrderBookDamaged:
            self.is_damaged = True
        order.asked = replace(order.asked, order=order_id)

    def _not_created(self, order: _Open, told: object, now: float) -> None:
        key = order.asked.key
        if isinstance(told, Refusal) and not order.maybe_sent and told.code != KEY_REUSED:
            busy = told.code == BUSY_CODE
            refused = TerminalCause.TOKEN_REFUSED if told.status in (401, 403) else None
            cause = TerminalCause.BUSY if busy else refused
            self._charges.say(key, Word.REFUSED, cause.value if cause else "refused")
            self._close(order)
            return
        if not (getattr(told, "maybe_done", True) is False and not order.maybe_sent):
            order.maybe_sent = True
            self._charges.say(key, Word.SILENCE)
        self._later(order, now)

    def _void(self, order: _Open, cause: str) -> None:
        """Proven: not a byte of it ever left."""
        self._charges.say(order.asked.key, Word.NEVER_SENT, cause)
        self._close(order)

    def _close(self, order: _Open) -> None:
        order.next_at = float("inf")
        try:
            self._book.mark(order.asked.key, void=True)
        except OrderBookDamaged:
            self.is_damaged = True
        self._open.pop(order.asked.key, None)

    def _later(self, order: _Open, now: float) -> None:
        order.next_at = now + order.pause_s
        order.pause_s = min(order.pause_s * 1.5, POLL_MAX_S)

    def _from_book(self, key: str, now: float) -> _Open | None:
        asked = self._book.get(key)
        if asked is None:
            self._hear(Charge(key, ChargeState.IDLE))
            return None
        if asked.void:
            self._hear(Charge(key, ChargeState.CANCELLED, asked.amount_centavos))
            return None
        if asked.doubt:
            self._doubt(key)
            return None
        self._open[key] = _Open(asked, now - 1, None, now, maybe_sent=True, heard_at=now - 60)
        return self._open[key]

    def _doubt(self, key: str) -> None:
        try:
            self._book.doubt(key)
        except OrderBookDamaged:
            self.is_damaged = True
        self._hear(Charge(key, ChargeState.UNKNOWN))

    def _hear(self, charge: Charge) -> None:
        self._charges.hear(charge)
        self._answers[charge.key] = self._answers.get(charge.key, 0) + 1
        for key in [k for k in self._open if self._charges.get(k) is None]:
            self._open.pop(key)
            self._answers.pop(key, None)


def _reference(asked: Asked) -> str:
    return str(json.loads(asked.body)["external_reference"])
