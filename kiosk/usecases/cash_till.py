"""The till of one payment: which pieces may go in, which note is stacked, what change can be paid."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.usecases.cash_journal import CashJournal
from kiosk.usecases.cash_progress import CashTerms, Inserting, PayingChange
from municipio.cash import (
    DISPENSE_MAX,
    CashMovement,
    CashRules,
    ChangeStock,
    Decision,
    Tally,
    acceptable,
    can_finish,
    coins_paid,
    count_box,
    decide,
)
from municipio.devices import CashDevice, CashUnit, DeviceState, PayoutState
from municipio.payments import Payment
from municipio.usecases.ports import CashLedger, NotRecorded

NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CashLimits:
    """From the settings of the section `cash`."""

    stacker_capacity: int = 500
    box_capacity: int = 2000
    offline_max_days: int = 3


class CashTill:
    """Made for one payment: box and hopper are counted once, and watched from then on."""

    def __init__(
        self, device: CashDevice, ledger: CashLedger, rules: CashRules, limits: CashLimits
    ) -> None:
        self._device = device
        self._rules = rules
        box = count_box(ledger.cash_counts())
        is_ours = box.hopper_coin_centavos in device.denominations(CashUnit.HOPPER)
        self._held = ChangeStock(box.hopper_coin_centavos, box.hopper_coins if is_ours else 0)
        self._takes_coins = sum(box.coins.values()) < limits.box_capacity
        self._takes_notes = sum(box.notes.values()) < limits.stacker_capacity

    @property
    def is_full(self) -> bool:
        return not (self._takes_coins or self._takes_notes)

    @property
    def stock(self) -> ChangeStock:
        """What the hopper can surely pay now."""
        is_ready = self._device.unit_status(CashUnit.HOPPER).state is DeviceState.READY
        return self._held if is_ready else ChangeStock()

    def can_finish(self, amount_centavos: int) -> bool:
        coins, notes = self._working()
        return can_finish(amount_centavos, self._rules, self.stock, coins | notes)

    def judge(self, piece_centavos: int, missing_centavos: int) -> Decision:
        coins, notes = self._working()
        return decide(piece_centavos, missing_centavos, self._rules, self.stock, coins | notes)

    def offer(self, payment: Payment, found: Tally) -> Inserting:
        """Open for exactly the pieces that may go in next."""
        missing = payment.amount_centavos - found.collected_centavos - found.open_note_centavos
        working, stock = self._working(), self.stock
        coins, notes = (
            acceptable(pieces, missing, self._rules, stock, working[0] | working[1])
            for pieces in working
        )
        self._device.accept(coins, notes)
        return Inserting(
            payment.amount_centavos,
            found.collected_centavos,
            coins,
            notes,
            stacking_centavos=found.open_note_centavos,
            gives_change=stock.coins > 0 and not self._rules.exact_only,
        )

    def terms(self, due_centavos: int) -> CashTerms:
        """What may go in for this amount, and what could come out."""
        working, stock = self._working(), self.stock
        coins, notes = (
            acceptable(pieces, due_centavos, self._rules, stock, working[0] | working[1])
            for pieces in working
        )
        most = min(stock.coins, DISPENSE_MAX) * stock.coin_centavos
        limit = 0 if self._rules.exact_only else min(most, self._rules.change_limit_centavos)
        return CashTerms(due_centavos, coins, notes, limit > 0, limit)

    def change_due(self, payment: Payment, found: Tally, *, refunds: bool) -> int:
        """What the hopper should pay and can: change, or all of it when a person stops."""
        over = found.collected_centavos - payment.amount_centavos
        if over < 0 and (not refunds or found.is_doubtful or found.open_note_centavos):
            return 0
        amount = over if over >= 0 else found.collected_centavos
        within = 0 < amount <= self._rules.change_limit_centavos
        return amount if within and self.stock.can_pay(amount) else 0

    def _working(self) -> tuple[frozenset[int], frozenset[int]]:
        """Denominations of coins and of notes that can be taken now."""
        coins = self._rules.coins & self._device.denominations(CashUnit.COINS)
        notes = self._rules.notes & self._device.denominations(CashUnit.NOTES)
        return coins if self._takes_coins else NOBODY, notes if self._takes_notes else NOBODY


def pay_change(
    till: CashTill,
    device: CashDevice,
    journal: CashJournal,
    payment: Payment,
    found: Tally,
    *,
    refunds: bool,
) -> PayingChange | NotRecorded | None:
    """Order what is due, once, and follow it; None when there is nothing to wait for."""
    order = found.change_order
    if order is not None:
        ended = ended_change(device, order)
        if ended is not None:
            return journal.end_change(order, ended[0], sure=ended[1])
        paid = device.payout().paid * order.amount_centavos
        return PayingChange(order.amount_centavos * order.count, paid)
    amount = till.change_due(payment, found, refunds=refunds)
    count = device.hopper_count()
    if not amount or found.change_was_ordered or count is None:
        return None
    coin = till.stock.coin_centavos
    failed = journal.order_change(payment, coin, amount // coin, count)
    if failed is not None:
        return failed
    device.dispense(amount // coin)
    return PayingChange(amount, 0)


def ended_change(device: CashDevice, order: CashMovement) -> tuple[int, bool] | None:
    """(coins, surely) once the hopper is still or gone for good; None while coins may be leaving."""
    count = device.hopper_count()
    state = device.payout().state
    if state is PayoutState.NOT_SENT:
        return 0, True
    if state is PayoutState.UNKNOWN and count is None:
        return order.count, False
    if state is PayoutState.PAYING or count is None:
        return None
    return coins_paid(order, count), True
