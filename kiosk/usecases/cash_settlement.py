"""How a cash payment begins and ends in the ledger: its folio, its last state and its fact, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from kiosk.usecases import payment_facts
from kiosk.usecases.cash_progress import CashSettled, CashUnsaved
from kiosk.usecases.payment_books import PaymentBooks
from municipio.cash import Tally
from municipio.clock import Instant
from municipio.payments import Payment, PaymentEvent, PaymentMethod, PaymentState, advance
from municipio.predial import Liquidacion
from municipio.usecases.ports import CashLedger, NotRecorded


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
        self._books = PaymentBooks(ledger, now, today, new_key)

    def open(
        self, liquidacion: Liquidacion, concepts: tuple[tuple[str, int], ...], due: int
    ) -> Payment | NotRecorded:
        """Record the intent, then COLLECTING. On a failure nothing may go in."""
        intended = self._books.intend(liquidacion, concepts, PaymentMethod.CASH, due)
        if isinstance(intended, NotRecorded):
            return intended
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
        rows = self._books.rows(ended)
        recorded = self._ledger.record(fact, lambda _: rows)
        if isinstance(recorded, NotRecorded):
            return CashUnsaved(payment, recorded)
        return CashSettled(ended)


def _owed(payment: Payment, found: Tally) -> int:
    """What the person is owed at the most: change in doubt counts as not paid until it is counted."""
    if found.collected_centavos >= payment.amount_centavos:
        return found.kept_centavos - payment.amount_centavos
    return found.kept_centavos
