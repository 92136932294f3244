"""The technician's cash box: how much is inside, the cut (corte de caja), and filling the hopper.

A cut is one fact with everything the journal says is inside, piece by piece, and what was counted by
hand; from then on the box counts from zero. With the two-person rule two different people sign it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from municipio.cash import CashBox, CashMovement, MovementKind, count_box
from municipio.devices import CashUnit
from municipio.facts import FactDraft, FactType
from municipio.payments import PaymentMethod, PaymentState
from municipio.usecases.ports import CashLedger, NotRecorded


@dataclass(frozen=True, slots=True)
class NeedsTwoPeople:
    """The city wants two different people at a cut; nothing was recorded."""


@dataclass(frozen=True, slots=True)
class PaymentOpen:
    """Somebody is paying in cash, or a former payment is not cleared up; nothing was recorded."""


@dataclass(frozen=True, slots=True)
class CashCut:
    """`difference_centavos` is counted less journal: negative when money is missing."""

    folio: str
    box: CashBox
    counted_centavos: int
    difference_centavos: int


@dataclass(frozen=True, slots=True)
class HopperFilled:
    coins: int


class CashBoxDesk:
    """`by` are the badge numbers of the people, never names."""

    def __init__(self, *, ledger: CashLedger, new_id: Callable[[], str], two_person: bool) -> None:
        self._ledger = ledger
        self._new_id = new_id
        self._two_person = two_person

    def inside(self) -> CashBox:
        return count_box(self._ledger.cash_counts())

    def cut(
        self, by: tuple[str, ...], counted_centavos: int, hopper_coins: int
    ) -> CashCut | NeedsTwoPeople | PaymentOpen | NotRecorded:
        """Box and stacker were emptied and counted; `hopper_coins` is what the hopper holds now.

        `counted_centavos` is what was taken out of box and stacker.
        """
        if self._two_person and len(set(by)) < 2:
            return NeedsTwoPeople()
        if self._is_paying():
            return PaymentOpen()
        box = self.inside()
        difference = counted_centavos - box.coins_centavos - box.notes_centavos
        data = {
            "action": "cash_cut",
            "technicians": sorted(set(by)),
            "counted_centavos": counted_centavos,
            "difference_centavos": difference,
            "hopper_coins": hopper_coins,
            **_content(box),
        }
        rows = [
            self._row(MovementKind.CUT, CashUnit.NOTES, 0, 1),
            self._row(
                MovementKind.HOPPER_SET, CashUnit.HOPPER, box.hopper_coin_centavos, hopper_coins
            ),
        ]
        recorded = self._ledger.record(FactDraft(FactType.TECHNICIAN_ACTED, data), lambda _: rows)
        if isinstance(recorded, NotRecorded):
            return recorded
        return CashCut(recorded.folio, box, counted_centavos, difference)

    def fill_hopper(
        self, by: tuple[str, ...], coin_centavos: int, coins_inside: int
    ) -> HopperFilled | PaymentOpen | NotRecorded:
        """The hopper now holds `coins_inside` coins of one denomination, counted by hand."""
        if self._is_paying():
            return PaymentOpen()
        held = self.inside().hopper_coins
        data = {
            "action": "hopper_filled",
            "technicians": sorted(set(by)),
            "coin_centavos": coin_centavos,
            "hopper_coins": coins_inside,
            "before": held,
        }
        added = coins_inside - held
        row = self._row(MovementKind.HOPPER_SET, CashUnit.HOPPER, coin_centavos, added)
        recorded = self._ledger.record(FactDraft(FactType.TECHNICIAN_ACTED, data), lambda _: [row])
        return recorded if isinstance(recorded, NotRecorded) else HopperFilled(coins_inside)

    def _is_paying(self) -> bool:
        return any(
            p.method is PaymentMethod.CASH
            and p.state in (PaymentState.INTENDED, PaymentState.COLLECTING)
            for p in self._ledger.open_payments()
        )

    def _row(self, kind: MovementKind, unit: CashUnit, amount: int, count: int) -> CashMovement:
        return CashMovement(self._new_id(), "", kind, unit, amount, count)


def _content(box: CashBox) -> dict[str, Any]:
    return {
        "coins": [{"amount_centavos": a, "count": n} for a, n in sorted(box.coins.items())],
        "notes": [{"amount_centavos": a, "count": n} for a, n in sorted(box.notes.items())],
        "coins_centavos": box.coins_centavos,
        "notes_centavos": box.notes_centavos,
        "hopper_expected_coins": box.hopper_coins,
        "doubt_centavos": box.doubt_centavos,
        "change_doubt_centavos": box.change_doubt_centavos,
        "unread_pieces": box.unread_pieces,
    }
