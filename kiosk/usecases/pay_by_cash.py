"""Paying a predial debt in cash so that no power cut can lose or double a peso.

The order is always: journal, then act. `payment.intended` opens the folio; COLLECTING is stored before
the gate opens; a note is stacked only after its stack order is stored, and is money only once the
validator says stacked; change is ordered once and read from the hopper's own count. What a crash leaves
is settled by `tend`, never collected or paid out again. Every method may block: never call one on a
screen's thread. While no cash payment is on the screen, call `tend` about once a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from kiosk.usecases.cash_journal import CashJournal
from kiosk.usecases.cash_progress import (
    CashAlreadyStarted,
    CashBlock,
    CashNotStarted,
    CashProgress,
    CashSettled,
    CashStart,
    CashStarted,
    CashTerms,
    CashUnsaved,
    Closing,
    PayingChange,
)
from kiosk.usecases.cash_settlement import CashSettlement
from kiosk.usecases.cash_till import NOBODY, CashLimits, CashTill, ended_change, pay_change
from municipio.cash import (
    CashRules,
    RefusedNote,
    TakeIt,
    Tally,
    rounded,
    tally,
)
from municipio.clock import Instant
from municipio.devices import (
    CashDevice,
    CashEvent,
    CashEventKind,
    CashGate,
    DeviceState,
)
from municipio.payments import Payment, PaymentState
from municipio.predial import Liquidacion
from municipio.usecases.ports import CashLedger, NotRecorded

GATE_MS = 5_000
"""A peripheral that does not answer holds up the end of a payment no longer than this."""

RECOVER_MS = 40_000
"""After a restart: how long the bus may take to say what became of the last note or coins."""


class _Phase(StrEnum):
    INSERTING = "inserting"
    CLOSING = "closing"
    CHANGING = "changing"


@dataclass(slots=True)
class _Session:
    """The payment on the screen; nothing here that the journal could not do without."""

    key: str
    till: CashTill
    phase: _Phase = _Phase.INSERTING
    refunds: bool = True
    refused: RefusedNote | None = None
    closing_ms: int = 0


class PayByCash:
    """The money machine of cash. One payment at a time; safe to call from several threads.

    `blocking` finds the payment for which a debt must not be paid here again
    (`PayByCard.blocking_payment`).
    """

    def __init__(
        self,
        *,
        ledger: CashLedger,
        device: CashDevice | None,
        rules: CashRules,
        limits: CashLimits,
        now: Callable[[], Instant],
        today: Callable[[], date | None],
        new_key: Callable[[], str],
        blocking: Callable[[Liquidacion], Payment | None],
        may_start: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ledger = ledger
        self._device = device
        self._journal = None if device is None else CashJournal(ledger, device, new_key)
        self._rules = rules
        self._limits = limits
        self._now = now
        self._today = today
        self._settlement = CashSettlement(ledger, now, today, new_key)
        self._blocking = blocking
        self._may_start = may_start
        self._lock = threading.RLock()
        self._session: _Session | None = None
        self._waiting_since: dict[str, int] = {}

    # --- before a payment ---------------------------------------------------------------------

    def amount_due(self, liquidacion: Liquidacion) -> int:
        """What cash pays for this debt, in centavos: the total, rounded where the city says so."""
        total = liquidacion.total_centavos
        return rounded(total) if self._rules.round_to_peso else total

    def block(self, liquidacion: Liquidacion, *, fresh: bool) -> CashBlock:
        """Why this debt cannot be paid in cash now. `fresh`: the city confirmed the debt just now."""
        with self._lock:
            if self._device is None or self._journal is None:
                return CashBlock.DISABLED
            if not self._may_start():
                return CashBlock.ENERGY
            if self._device.status().state is not DeviceState.READY:
                return CashBlock.DEVICE
            former = [p for p in self._unsettled_work() if p.state is not PaymentState.UNKNOWN]
            if former or self._session is not None:
                return CashBlock.FORMER
            due = self.amount_due(liquidacion)
            if self._rules.max_payment_centavos and due > self._rules.max_payment_centavos:
                return CashBlock.TOO_MUCH
            if not fresh and self._is_too_old(liquidacion):
                return CashBlock.TOO_OLD
            till = self._till()
            if till.is_full:
                return CashBlock.FULL
            is_payable = due > 0 and till.can_finish(due)
            return CashBlock.NONE if is_payable else CashBlock.UNPAYABLE

    def terms(self, liquidacion: Liquidacion) -> CashTerms:
        """What may go in for this debt; only where `block` says that nothing is in the way."""
        with self._lock:
            return self._till().terms(self.amount_due(liquidacion))

    def trouble(self) -> str:
        """The worst trouble of the bus by its cause (`municipio.device_words`), empty for none."""
        if self._device is None:
            return "no_answer"
        status = self._device.status()
        is_down = status.state in {DeviceState.ABSENT, DeviceState.UNKNOWN}
        return "no_answer" if is_down else status.cause

    def start(
        self,
        liquidacion: Liquidacion,
        concepts: tuple[tuple[str, int], ...],
        *,
        fresh: bool,
        rounding_label: str = "Ajuste al peso",
    ) -> CashStart:
        """Journal the intent, then COLLECTING, then open the gate: in this order, or not at all."""
        with self._lock:
            self.tend()
            blocking = self._blocking(liquidacion)
            if blocking is not None:
                return CashAlreadyStarted(blocking)
            why = self.block(liquidacion, fresh=fresh)
            if why is not CashBlock.NONE:
                return CashNotStarted(why)
            due = self.amount_due(liquidacion)
            if due != liquidacion.total_centavos:
                concepts = (*concepts, (rounding_label, due - liquidacion.total_centavos))
            collecting = self._settlement.open(liquidacion, concepts, due)
            if isinstance(collecting, NotRecorded):
                return collecting
            self._session = _Session(collecting.key, self._till())
            self._session.till.offer(collecting, Tally())
            return CashStarted(collecting)

    # --- while it is on the screen --------------------------------------------------------------

    def poll(self, key: str) -> CashProgress:
        """Take what happened, decide, and say where the payment is; the end is stored before it is said."""
        with self._lock:
            payment = self._known(key)
            session = self._session
            if payment.state is not PaymentState.COLLECTING:
                return CashSettled(payment)
            if session is None or session.key != key:
                return Closing(payment.amount_centavos, payment.collected_centavos)
            failed = self._drain()
            if failed is not None:
                self._shut()
                return CashUnsaved(payment, failed)
            found = self._tally(payment)
            if session.phase is _Phase.INSERTING:
                if found.collected_centavos < payment.amount_centavos:
                    return replace(session.till.offer(payment, found), refused=session.refused)
                self._close(session, refunds=True)
            return self._finish(payment, found, session)

    def finish(self, key: str, *, refund: bool) -> None:
        """The person stops (`refund` True) or walked away: take no more, then poll until it is settled."""
        with self._lock:
            session = self._session
            if session is not None and session.key == key and session.phase is _Phase.INSERTING:
                self._close(session, refunds=refund)

    def release(self, key: str) -> None:
        """The screen of this payment is gone; from now on `tend` looks after it."""
        with self._lock:
            if self._session is not None and self._session.key == key:
                self._shut()
                self._session = None

    # --- when none is ---------------------------------------------------------------------------

    def has_work(self) -> bool:
        """Is there a payment that a crash left, or news of the bus that nobody has taken?"""
        with self._lock:
            if self._session is not None or self._device is None:
                return False
            return bool(self._device.events() or self._unsettled_work())

    def tend(self) -> tuple[Payment, ...]:
        """Take the bus's news and settle what a crash left. Returns the payments settled just now.

        A payment that was cut short ends REFUND_OWED with its folio and what is owed; one with a note
        or pieces in doubt ends UNKNOWN with the bounds. Nothing is ever paid out here.
        """
        with self._lock:
            if self._device is None or self._session is not None:
                return ()
            self._shut()
            if self._drain() is not None:
                return ()
            done = (self._recover(p) for p in self._unsettled_work())
            return tuple(p for p in done if p is not None)

    # --- inside: events ---------------------------------------------------------------------------

    def _drain(self) -> NotRecorded | None:
        assert self._device is not None, "only a device has events"
        self._the_journal.resume()
        for event in self._device.events():
            is_held = event.kind is CashEventKind.NOTE_HELD
            failed = self._held(event) if is_held else self._the_journal.take(event)
            if failed is not None:
                return failed
        return None

    def _held(self, event: CashEvent) -> NotRecorded | None:
        """A note in escrow: stack it or give it back. Outside a session it goes back."""
        assert self._device is not None, "only a device has events"
        session = self._session
        if session is None or session.phase is not _Phase.INSERTING:
            self._device.route(stack=False)
            return self._the_journal.pass_over(event)
        payment = self._known(session.key)
        missing = payment.amount_centavos - self._tally(payment).collected_centavos
        verdict = session.till.judge(event.amount_centavos, missing)
        session.refused = None if isinstance(verdict, TakeIt) else verdict
        if session.refused is not None:
            self._device.route(stack=False)
            return self._the_journal.pass_over(event)
        failed = self._the_journal.order_stack(event, payment)
        if failed is not None:
            self._device.route(stack=False)
            return failed
        self._device.confirm(event)
        self._device.route(stack=True)
        return None

    @property
    def _the_journal(self) -> CashJournal:
        assert self._journal is not None, "a device has a journal"
        return self._journal

    def _till(self) -> CashTill:
        assert self._device is not None, "a till has a device"
        return CashTill(self._device, self._ledger, self._rules, self._limits)

    def _close(self, session: _Session, *, refunds: bool) -> None:
        session.phase, session.refunds = _Phase.CLOSING, refunds
        session.closing_ms = self._now().boot_ms
        self._shut()

    def _shut(self) -> None:
        if self._device is not None:
            self._device.accept(NOBODY, NOBODY)

    # --- inside: the end ---------------------------------------------------------------------------

    def _finish(self, payment: Payment, found: Tally, session: _Session) -> CashProgress:
        """Closed and counted, then change, then the end."""
        assert self._device is not None, "a session has a device"
        self._shut()
        if session.phase is _Phase.CLOSING:
            gate = self._device.gate()
            waited = self._now().boot_ms - session.closing_ms
            is_late = gate is CashGate.UNKNOWN and waited > GATE_MS
            if (gate is not CashGate.CLOSED and not is_late) or self._device.events():
                return Closing(payment.amount_centavos, found.collected_centavos)
            session.phase = _Phase.CHANGING
        if not self._close_note(payment, found):
            return Closing(payment.amount_centavos, found.collected_centavos)
        coming = pay_change(
            session.till,
            self._device,
            self._the_journal,
            payment,
            found,
            refunds=session.refunds,
        )
        if isinstance(coming, PayingChange):
            return coming
        return self._settle(payment, "") if coming is None else CashUnsaved(payment, coming)

    def _settle(self, payment: Payment, cause: str) -> CashSettled | CashUnsaved:
        settled = self._settlement.settle(payment, self._tally(payment), cause)
        if isinstance(settled, CashSettled):
            self._session = None
            self._waiting_since.pop(payment.key, None)
        return settled

    def _recover(self, payment: Payment) -> Payment | None:
        """Settle what a crash left, once the bus has said all it knows or is silent for too long."""
        assert self._device is not None, "recovery looks at a device"
        if payment.state is PaymentState.INTENDED:
            cancelled = self._settlement.cancel(payment, "restart")
            return cancelled.payment if isinstance(cancelled, CashSettled) else None
        waited = self._now().boot_ms - self._waiting_since.setdefault(
            payment.key, self._now().boot_ms
        )
        is_late = waited > RECOVER_MS
        if not is_late and self._device.gate() is not CashGate.CLOSED:
            return None
        found = self._tally(payment)
        if found.change_order is not None:
            ended = ended_change(self._device, found.change_order)
            if ended is None and not is_late:
                return None
            coins, sure = ended or (found.change_order.count, False)
            if self._the_journal.end_change(found.change_order, coins, sure=sure) is not None:
                return None
        if not self._close_note(payment, found):
            return None
        settled = self._settle(payment, "restart")
        return settled.payment if isinstance(settled, CashSettled) else None

    def _close_note(self, payment: Payment, found: Tally) -> bool:
        """A stack order that the quiet bus knows nothing of is in doubt; False: wait for its end."""
        assert self._device is not None, "a note needs a device"
        if not found.open_note_centavos:
            return True
        if self._device.gate() is CashGate.CLOSED:
            return self._the_journal.doubt_note(payment, found.open_note_centavos) is None
        return payment.state is not PaymentState.UNKNOWN

    def _unsettled_work(self) -> list[Payment]:
        """Without those that only a count of the box can settle."""
        if self._journal is None:
            return []
        found = self._journal.unsettled()
        return [p for p in found if not (p.state is PaymentState.UNKNOWN and self._is_final(p))]

    def _is_final(self, payment: Payment) -> bool:
        found = self._tally(payment)
        is_more = found.collected_centavos != payment.collected_centavos
        return found.is_doubtful and not found.open_note_centavos and not is_more

    def _is_too_old(self, liquidacion: Liquidacion) -> bool:
        today = self._today()
        most = timedelta(days=self._limits.offline_max_days)
        return today is None or today - liquidacion.issued_on > most

    def _tally(self, payment: Payment) -> Tally:
        return tally(self._ledger.cash_movements(payment.key))

    def _known(self, key: str) -> Payment:
        payment = self._ledger.payment(key)
        assert payment is not None, f"no payment {key} was ever started"
        return payment
