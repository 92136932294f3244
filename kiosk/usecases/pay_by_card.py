"""Charging a card for a predial debt so that no power cut can lose or double a peso.

The order is always: journal, then act. `payment.intended` opens the folio; COLLECTING is on the card
before the terminal sees a byte; an approval is committed before anybody says so. After a crash
`recover` asks the terminal and never charges again. Every method may block: never call one on a
screen's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from kiosk.usecases import payment_facts
from kiosk.usecases.payment_books import PaymentBooks
from municipio.clock import Instant
from municipio.devices import CardTerminal, Charge, ChargeState, DeviceState
from municipio.facts import parse_time
from municipio.payments import (
    LATE_LOOKS_S,
    RECOVERY,
    Payment,
    PaymentEvent,
    PaymentMethod,
    PaymentState,
    Recovery,
    advance,
)
from municipio.predial import Liquidacion
from municipio.usecases.ports import CardLedger, NotRecorded

QUERY_TIMEOUT_S = 6.0

RECENT = timedelta(days=3)
"""A payment taken so lately may not have reached the city, whose fresh liquidación may not know it."""

DOUBTFUL = frozenset({PaymentState.COLLECTING, PaymentState.UNKNOWN})
PAID = frozenset({PaymentState.TAKEN, PaymentState.RECEIPTED})
NO_MONEY = frozenset({PaymentState.DECLINED, PaymentState.CANCELLED})
LATE = "late_approval"


@dataclass(frozen=True, slots=True)
class Started:
    """The terminal has been asked; poll until `Settled`."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class AlreadyStarted:
    """This debt already has a payment here that is taken or not known: charging again is refused."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The terminal is not ready, or (`saving`) the node has no energy to begin; nothing was journalled."""

    saving: bool = False


class WaitingFor(StrEnum):
    TERMINAL = "terminal"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Waiting:
    on: WaitingFor


@dataclass(frozen=True, slots=True)
class Settled:
    """The journal knows an end: TAKEN, DECLINED, CANCELLED, UNKNOWN or, paid twice, REFUND_OWED."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class Unsaved:
    """The terminal answered but the ledger could not store it. The journal still says COLLECTING,

    so a restart asks again: nothing is lost, but nobody may say "paid" yet.
    """

    payment: Payment
    charge: Charge
    why: NotRecorded


Progress = Waiting | Settled | Unsaved


class PayByCard:
    """The money machine. One charge at a time; safe to call from several threads."""

    def __init__(
        self,
        *,
        ledger: CardLedger,
        terminal: CardTerminal | None,
        now: Callable[[], Instant],
        today: Callable[[], date | None],
        new_key: Callable[[], str],
        may_start: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_start` says whether the node has the energy to begin a payment and end it."""
        self._ledger = ledger
        self._terminal = terminal
        self.may_start = may_start
        self._now = now
        self._today = today
        self._books = PaymentBooks(ledger, now, today, new_key)
        self._lock = threading.RLock()
        self._live: set[str] = set()
        self._look_at_ms: dict[str, int] = {}

    def terminal_is_ready(self) -> bool:
        return self._terminal is not None and self._terminal.status().state is DeviceState.READY

    def blocking_payment(self, liquidacion: Liquidacion) -> Payment | None:
        """The payment for which this debt must not be charged here: in doubt, or just made."""
        for payment in reversed(self._ledger.payments_for(liquidacion.clave)):
            same = payment.liquidacion_id == liquidacion.id or self._is_recent(payment)
            if payment.state in DOUBTFUL or (payment.state in PAID and same):
                return payment
        return None

    def start(
        self, liquidacion: Liquidacion, concepts: tuple[tuple[str, int], ...]
    ) -> Started | AlreadyStarted | NotStarted | NotRecorded:
        """Journal the intent, then COLLECTING, then ask the terminal: in this order, or not at all."""
        with self._lock:
            blocking = self.blocking_payment(liquidacion)
            if blocking is not None:
                return AlreadyStarted(blocking)
            if not self.may_start():
                return NotStarted(saving=True)
            if not self.terminal_is_ready():
                return NotStarted()
            approved_late = self._ask_before_again(liquidacion)
            if approved_late is not None:
                return AlreadyStarted(approved_late)
            intended = self._books.intend(
                liquidacion, concepts, PaymentMethod.CARD, liquidacion.total_centavos
            )
            if isinstance(intended, NotRecorded):
                return intended
            collecting = _stepped(intended, PaymentEvent.TERMINAL_ASKED)
            failed = self._ledger.save([collecting])
            if failed is not None:
                self._settle(intended, PaymentEvent.CANCELLED, cause="not_recorded")
                return failed
            self._live.add(collecting.key)
            assert self._terminal is not None
            self._terminal.start(collecting.key, collecting.amount_centavos, collecting.folio)
            return Started(collecting)

    def poll(self, key: str) -> Progress:
        """Where the charge is now; the end is committed before it is returned."""
        with self._lock:
            payment = self._known(key)
            if payment.state is not PaymentState.COLLECTING:
                return Settled(payment)
            return self._judge(payment, self._terminal_charge(key))

    def cancel(self, key: str) -> None:
        """Ask the terminal to stop. Only its answer ends the payment: an approval may be faster."""
        if self._terminal is not None:
            self._terminal.cancel(key)

    def give_up(self, key: str) -> Progress:
        """The wait is over: ask the terminal once more and settle, as UNKNOWN if it must be."""
        with self._lock:
            payment = self._known(key)
            if payment.state is not PaymentState.COLLECTING:
                return Settled(payment)
            self.cancel(key)
            charge = self._query(key)
            event = _EVENT_BY_ANSWER.get(charge.state, PaymentEvent.NO_ANSWER)
            return self._settle(payment, event, charge, cause="no_answer")

    def release(self, key: str) -> None:
        """The screen that watched this charge is gone; from now on `recover` looks after it."""
        self._live.discard(key)

    def has_work(self) -> bool:
        """Is there a payment that only the terminal can settle, or one that a crash left intended?"""
        return any(RECOVERY[p.state] is not Recovery.OFFER_RECEIPT for p in self._abandoned())

    def recover(self) -> tuple[Payment, ...]:
        """Look after what a crash or an end of patience left open; returns those still open.

        INTENDED was never sent: cancelled. COLLECTING and UNKNOWN are asked for, never charged
        again; while a person still stands at the terminal nothing is decided. TAKEN waits for its
        receipt.
        """
        with self._lock:
            for payment in self._abandoned():
                match RECOVERY[payment.state]:
                    case Recovery.CANCEL:
                        self._settle(payment, PaymentEvent.CANCELLED, cause="restart")
                    case Recovery.QUERY_TERMINAL:
                        self._ask_again(payment)
            self._watch_ended()
            return self._abandoned()

    def receipts_owed(self) -> tuple[Payment, ...]:
        """Taken payments, by card or cash, whose receipt has not come out, oldest first."""
        taken = (p for p in self._ledger.open_payments() if p.state is PaymentState.TAKEN)
        return tuple(p for p in taken if p.key not in self._live)

    # --- inside

    def _abandoned(self) -> tuple[Payment, ...]:
        cards = (p for p in self._ledger.open_payments() if p.method is PaymentMethod.CARD)
        return tuple(p for p in cards if p.key not in self._live)

    def _is_recent(self, payment: Payment) -> bool:
        today = self._today()
        if today is None or not payment.taken_at:
            return True
        return parse_time(payment.taken_at).date() >= today - RECENT

    def _known(self, key: str) -> Payment:
        payment = self._ledger.payment(key)
        assert payment is not None, f"no payment {key} was ever started"
        return payment

    def _terminal_charge(self, key: str) -> Charge:
        if self._terminal is None:
            return Charge(key, ChargeState.UNKNOWN)
        return self._terminal.charge(key)

    def _query(self, key: str) -> Charge:
        if self._terminal is None:
            return Charge(key, ChargeState.UNKNOWN)
        return self._terminal.query(key, QUERY_TIMEOUT_S)

    def _judge(self, payment: Payment, charge: Charge) -> Progress:
        match charge.state:
            case ChargeState.AT_TERMINAL:
                return Waiting(WaitingFor.PERSON)
            case ChargeState.IDLE | ChargeState.REQUESTED | ChargeState.UNKNOWN:
                return Waiting(WaitingFor.TERMINAL)
        return self._settle(payment, _EVENT_BY_ANSWER[charge.state], charge)

    def _ask_again(self, payment: Payment) -> None:
        charge = self._query(payment.key)
        if charge.state in {ChargeState.REQUESTED, ChargeState.AT_TERMINAL}:
            return
        event = _EVENT_BY_ANSWER.get(charge.state, PaymentEvent.NO_ANSWER)
        self._settle(payment, event, charge, cause="restart")

    def _watch_ended(self) -> None:
        """Ask about one charge that ended without money: a bank may approve it after all."""
        now_ms = self._now().boot_ms
        for payment in self._ledger.watched_payments():
            if self._look_at_ms.get(payment.key, 0) <= now_ms:
                # The first question after a restart is not one of the few: restarts use none up.
                self._look_late(payment, counts=payment.key in self._look_at_ms)
                return

    def _ask_before_again(self, liquidacion: Liquidacion) -> Payment | None:
        """Nobody is charged twice because the first approval came late: ask before the second."""
        for payment in self._ledger.payments_for(liquidacion.clave):
            if payment.looks_left and payment.liquidacion_id == liquidacion.id:
                self._look_late(payment, counts=False)
        return self.blocking_payment(liquidacion)

    def _look_late(self, payment: Payment, *, counts: bool) -> None:
        charge = self._query(payment.key)
        if charge.state is ChargeState.APPROVED:
            self._settle(payment, PaymentEvent.APPROVED, charge, cause=LATE)
            return
        if counts and charge.state is not ChargeState.UNKNOWN:
            payment = replace(payment, looks_left=payment.looks_left - 1)
            self._ledger.save([payment])
        self._look_later(payment)

    def _look_later(self, payment: Payment) -> None:
        self._look_at_ms.pop(payment.key, None)
        if payment.looks_left:
            wait_s = LATE_LOOKS_S[-payment.looks_left]
            self._look_at_ms[payment.key] = self._now().boot_ms + wait_s * 1000

    def _settle(
        self, payment: Payment, event: PaymentEvent, charge: Charge | None = None, cause: str = ""
    ) -> Settled | Unsaved:
        answer = charge or Charge(payment.key, ChargeState.CANCELLED)
        if event is PaymentEvent.APPROVED and answer.amount_centavos != payment.amount_centavos:
            event, cause = PaymentEvent.AMOUNT_DIFFERS, "amount_mismatch"
        ended = _stepped(payment, event)
        if payment.state is PaymentState.UNKNOWN and ended.state is PaymentState.UNKNOWN:
            return Settled(payment)
        if ended.state is PaymentState.TAKEN:
            ended = self._with_approval(ended, answer)
        looks = len(LATE_LOOKS_S) if ended.state in NO_MONEY and answer.state in _ENDS else 0
        ended = replace(ended, looks_left=looks)
        fact = payment_facts.settled(payment.state, ended, cause or answer.message)
        if ended.state is PaymentState.TAKEN and self._paid_otherwise(ended):
            # The fact says that the bank took it; the city posts it and owes it back.
            ended = _stepped(ended, PaymentEvent.ALREADY_PAID)
        changes = self._books.rows(ended)
        recorded = self._ledger.record(fact, lambda _: changes)
        if isinstance(recorded, NotRecorded):
            return Unsaved(payment, answer, recorded)
        self._live.discard(payment.key)
        self._look_later(ended)
        return Settled(ended)

    def _paid_otherwise(self, payment: Payment) -> bool:
        """Was the same debt paid here with another payment? Then the city owes this one back."""
        others = (p for p in self._ledger.payments_for(payment.clave) if p.key != payment.key)
        return any(p.state in PAID and p.liquidacion_id == payment.liquidacion_id for p in others)

    def _with_approval(self, payment: Payment, charge: Charge) -> Payment:
        at = self._now()
        return replace(
            payment,
            authorization=charge.authorization,
            card_last4=charge.card_last4,
            taken_at=payment_facts.taken_at(at),
        )


_EVENT_BY_ANSWER = {
    ChargeState.APPROVED: PaymentEvent.APPROVED,
    ChargeState.DECLINED: PaymentEvent.DECLINED,
    ChargeState.CANCELLED: PaymentEvent.CANCELLED,
    ChargeState.EXPIRED: PaymentEvent.CANCELLED,
    # Asked about a key it never saw: the request did not reach the terminal, so nothing was charged.
    ChargeState.IDLE: PaymentEvent.CANCELLED,
}


_ENDS = frozenset({ChargeState.DECLINED, ChargeState.CANCELLED, ChargeState.EXPIRED})


def _stepped(payment: Payment, event: PaymentEvent) -> Payment:
    return replace(payment, state=advance(payment.state, event))
