"""From what the cash bus tells to the journal: each event is stored with its position, then confirmed.

A piece is money of the payment that was open when it went in; without one it is nobody's, and the city
is told. Whatever the moment of a crash, an event is stored exactly once.
"""

from __future__ import annotations

from collections.abc import Callable

from municipio.cash import CashMovement, MovementKind, Tally, tally
from municipio.devices import CashDevice, CashEvent, CashEventKind, CashUnit
from municipio.facts import FactDraft, FactType
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.usecases.ports import CashLedger, NotRecorded

_K = CashEventKind
UNSETTLED = frozenset({PaymentState.INTENDED, PaymentState.COLLECTING, PaymentState.UNKNOWN})
_MONEY = frozenset({_K.COIN_IN, _K.NOTE_STACKED, _K.NOTE_UNNAMED, _K.LOST})
_NOTE_ENDS = {
    _K.NOTE_STACKED: MovementKind.NOTE_STACKED,
    _K.NOTE_RETURNED: MovementKind.NOTE_RETURNED,
    _K.NOTE_IN_DOUBT: MovementKind.NOTE_IN_DOUBT,
}


class CashJournal:
    def __init__(self, ledger: CashLedger, device: CashDevice, new_id: Callable[[], str]) -> None:
        self._ledger = ledger
        self._device = device
        self._new_id = new_id
        self._is_resumed = False

    def resume(self) -> None:
        """Tell the bus where the journal stands; only the first call of this program's life counts."""
        if self._is_resumed:
            return
        notes = [self.tally(p).open_note_centavos for p in self.unsettled()]
        self._device.resume(self._ledger.cash_positions(), max(notes, default=0))
        self._is_resumed = True

    def unsettled(self) -> tuple[Payment, ...]:
        """Cash payments without an end, oldest first."""
        return tuple(
            p
            for p in self._ledger.open_payments()
            if p.method is PaymentMethod.CASH and p.state in UNSETTLED
        )

    def tally(self, payment: Payment) -> Tally:
        return tally(self._ledger.cash_movements(payment.key))

    def order_stack(self, event: CashEvent, payment: Payment) -> NotRecorded | None:
        """Before the validator hears of it: this note, for this payment."""
        order = self._movement(
            payment.key, MovementKind.STACK_ORDERED, CashUnit.NOTES, event.amount_centavos
        )
        return self._ledger.save([order, event.position])

    def order_change(
        self, payment: Payment, coin: int, coins: int, count: int
    ) -> NotRecorded | None:
        order = self._movement(
            payment.key, MovementKind.CHANGE_ORDERED, CashUnit.HOPPER, coin, coins, count
        )
        return self._ledger.save([order])

    def doubt_note(self, payment: Payment, amount: int) -> NotRecorded | None:
        row = self._movement(payment.key, MovementKind.NOTE_IN_DOUBT, CashUnit.NOTES, amount)
        return self._ledger.save([row])

    def end_change(self, order: CashMovement, coins: int, *, sure: bool) -> NotRecorded | None:
        kind = MovementKind.CHANGE_PAID if sure else MovementKind.CHANGE_IN_DOUBT
        row = self._movement(order.payment, kind, CashUnit.HOPPER, order.amount_centavos, coins)
        return self._ledger.save([row])

    def take(self, event: CashEvent) -> NotRecorded | None:
        """Store anything but a held note, and confirm it."""
        failed = self._store(event, self._owner(event))
        if failed is None:
            self._device.confirm(event)
        return failed

    def pass_over(self, event: CashEvent) -> NotRecorded | None:
        """Only the position moves."""
        failed = self._ledger.save([event.position])
        if failed is None:
            self._device.confirm(event)
        return failed

    # --- inside -----------------------------------------------------------------------------

    def _owner(self, event: CashEvent) -> Payment | None:
        """The payment whose note this is, or that was open when the piece went in."""
        unsettled = self.unsettled()
        if event.kind in _NOTE_ENDS:
            for payment in reversed(unsettled):
                if self.tally(payment).open_note_centavos:
                    return payment
        collecting = [p for p in unsettled if p.state is PaymentState.COLLECTING]
        if collecting or event.kind is not _K.NOTE_STACKED:
            return collecting[-1] if collecting else None
        # Nobody was paying: it can only be the note that somebody's payment is in doubt about.
        amount = event.amount_centavos
        doubtful = [p for p in unsettled if 0 < amount <= self.tally(p).doubt_centavos]
        return doubtful[0] if len(doubtful) == 1 else None

    def _store(self, event: CashEvent, owner: Payment | None) -> NotRecorded | None:
        row = self._row(event, owner)
        if row is None:
            return self._ledger.save([event.position])
        if owner is not None or event.kind not in _MONEY:
            return self._ledger.save([row, event.position])
        recorded = self._ledger.record(_stray(row), lambda _: [row, event.position])
        return recorded if isinstance(recorded, NotRecorded) else None

    def _row(self, event: CashEvent, owner: Payment | None) -> CashMovement | None:
        key = "" if owner is None else owner.key
        if event.kind is _K.COIN_IN:
            return self._movement(key, MovementKind.COIN_IN, event.unit, event.amount_centavos)
        if event.kind in (_K.NOTE_UNNAMED, _K.LOST):
            count = max(event.count, 0)
            if not count and owner is None:
                return None  # nobody was paying, and not even the peripheral says that one went in
            return self._movement(key, MovementKind.PIECES_LOST, event.unit, 0, count)
        kind = _NOTE_ENDS.get(event.kind)
        if kind is None:
            return None
        if kind is MovementKind.NOTE_STACKED:
            return self._movement(key, kind, event.unit, event.amount_centavos)
        has_order = owner is not None and self.tally(owner).open_note_centavos
        amount = has_order or event.amount_centavos
        return self._movement(key, kind, event.unit, amount) if has_order else None

    def _movement(
        self,
        payment: str,
        kind: MovementKind,
        unit: CashUnit,
        amount: int,
        count: int = 1,
        dispensed: int = -1,
    ) -> CashMovement:
        return CashMovement(self._new_id(), payment, kind, unit, amount, count, dispensed)


def _stray(row: CashMovement) -> FactDraft:
    data = {
        "device": "cash",
        "cause": "stray_money",
        "unit": row.unit.value,
        "amount_centavos": row.amount_centavos,
        "count": row.count,
    }
    return FactDraft(FactType.DEVICE_CHANGED, data)
