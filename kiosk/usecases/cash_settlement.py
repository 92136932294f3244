"""How a cash payment begins and ends in the ledger: its folio, its last state and its fact, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from kiosk.usecases import payment_facts
from kiosk.usecases.cash_progress import CashSettled, CashUnsaved
from municipio.cash import Tally
from municipio.clock import Instant
from municipio.payments import Payment, PaymentEvent, PaymentMethod, PaymentState, advance
from municipio.predial import Liquidacion
from municipio.usecases.ports import CashLedger, Change, FolioStub, NotRecorded


class CashSettlement:
    def __init__(
        self,
        ledger: CashLedger,
        now: Callable[[], Instant],
        today: Callable[[], date | None],
        new_key: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._today = today
        self._new_key = new_key

    def open(
        self, liquidacion: Liquidacion, concepts: tuple[tuple[str, int], ...], due: int
    ) -> Payment | NotRecorded:
        """Record the intent, then COLLECTING. On a failure nothing may go in."""
        at = self._now()
        draft = Payment(
            key=self._new_key(),
            folio="",
            clave=liquidacion.clave,
            amount_centavos=due,
            method=PaymentMethod.CASH,
            state=PaymentState.INTENDED,
            liquidacion_id=liquidacion.id,
            concepts=concepts,
            boot=at.boot,
            boot_ms=at.boot_ms,
        )
        opened_on = self._opened_on(draft)
        recorded = self._ledger.record(
            payment_facts.intended(draft),
            lambda n: _rows(replace(draft, folio=n.folio), opened_on),
        )
        if isinstance(recorded, NotRecorded):
            return recorded
        intended = replace(draft, folio=recorded.folio)
        collecting = replace(intended, state=advance(intended.state, PaymentEvent.GATE_OPENED))
        failed = self._ledger.save([collecting])
        if failed is not None:
            self.cancel(intended, "not_recorded")
            return failed
        return collecting

    def cancel(self, payment: Payment, cause: str) -> CashSettled | CashUnsaved:
        """The gate was never opened."""
        return self._end(payment, PaymentEvent.CANCELLED, Tally(), cause)

    def settle(self, payment: Payment, found: Tally, cause: str) -> CashSettled | CashUnsaved:
        """By what the journal knows: complete, nothing inside, cut short, or in doubt.

        Money that may or may not be inside keeps a payment UNKNOWN only while it could change the end.
        """
        if found.collected_centavos >= payment.amount_centavos:
            return self._end(payment, PaymentEvent.CASH_COMPLETE, found, cause)
        if found.open_note_centavos or found.is_doubtful:
            return self._end(payment, PaymentEvent.NO_ANSWER, found, cause or "cash_in_doubt")
        if found.kept_centavos > 0 or found.change_doubt_centavos:
            return self._end(payment, PaymentEvent.CASH_SHORT, found, cause or "cut_short")
        return self._end(payment, PaymentEvent.CANCELLED, found, cause)

    def _end(
        self, payment: Payment, event: PaymentEvent, found: Tally, cause: str
    ) -> CashSettled | CashUnsaved:
        ended = replace(
            payment,
            state=advance(payment.state, event),
            collected_centavos=found.collected_centavos,
            change_centavos=found.change_paid_centavos,
            owed_centavos=_owed(payment, found),
            doubt_centavos=found.doubt_centavos + found.open_note_centavos,
            unread_pieces=found.unread_pieces,
        )
        if payment.state is ended.state is PaymentState.UNKNOWN:
            failed = self._ledger.save([ended])
            return CashSettled(ended) if failed is None else CashUnsaved(payment, failed)
        if ended.state is PaymentState.TAKEN:
            ended = replace(ended, taken_at=payment_facts.taken_at(self._now()))
        fact = payment_facts.settled(payment.state, ended, cause, found)
        rows = _rows(ended, self._opened_on(payment))
        recorded = self._ledger.record(fact, lambda _: rows)
        if isinstance(recorded, NotRecorded):
            return CashUnsaved(payment, recorded)
        return CashSettled(ended)

    def _opened_on(self, payment: Payment) -> str:
        """When the folio was opened; read before the transaction that writes it again."""
        stub = self._ledger.folio(payment.folio) if payment.folio else None
        today = self._today()
        return stub.opened_on if stub else "" if today is None else today.isoformat()


def _owed(payment: Payment, found: Tally) -> int:
    """What the person is owed at the most: change in doubt counts as not paid until it is counted."""
    if found.collected_centavos >= payment.amount_centavos:
        return found.kept_centavos - payment.amount_centavos
    return found.kept_centavos


def _rows(payment: Payment, opened_on: str) -> tuple[Change, ...]:
    detail = {
        "amount_centavos": payment.amount_centavos,
        "method": payment.method.value,
        "collected_centavos": payment.collected_centavos,
        "owed_centavos": payment.owed_centavos,
    }
    state = payment_facts.FOLIO_STATES[payment.state]
    return (payment, FolioStub(payment.folio, "predial", state, opened_on, detail))
