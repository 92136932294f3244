"""After a crash, or when a person walked away: settle what was left, and say which papers are still owed."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.usecases.pay_by_card import PayByCard
from kiosk.usecases.pay_by_cash import PayByCash
from municipio.payments import Payment, PaymentState

CLAIM_FOR_MS = 15 * 60 * 1000
"""How long the paper of a cash payment that was cut short is offered to whoever stands here."""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """`receipts` are taken payments without a receipt; `claims` cash payments that did not come out even.

    `look_soon`: nothing is waiting for a device that is slow to answer, or something may still end.
    """

    receipts: tuple[Payment, ...] = ()
    claims: tuple[Payment, ...] = ()
    look_soon: bool = True


class Aftercare:
    """Looks after cards and cash alike. `look` may block: never call it on a screen's thread."""

    def __init__(self, card: PayByCard, cash: PayByCash) -> None:
        self._card = card
        self._cash = cash
        self._claims: list[tuple[Payment, int]] = []

    def look(self, boot_ms: int) -> LeftOver:
        """Settle what can be settled now. `boot_ms` counts from the start of the machine."""
        left = self._card.recover()
        self._claims = [(p, until) for p, until in self._claims if boot_ms < until]
        self._claims += [
            (p, boot_ms + CLAIM_FOR_MS)
            for p in self._cash.tend()
            if p.owed_centavos or p.doubt_centavos or p.unread_pieces
        ]
        waiting = any(p.state is PaymentState.COLLECTING for p in left)
        look_soon = waiting or not left or self._cash.has_work()
        claims = tuple(p for p, _ in self._claims)
        claimed = {p.key for p in claims}
        receipts = tuple(p for p in self._card.receipts_owed() if p.key not in claimed)
        return LeftOver(receipts, claims, look_soon)

    def took(self, payment: Payment) -> None:
        """Its paper was asked for: it is not offered to the next person."""
        self._claims = [(p, until) for p, until in self._claims if p.key != payment.key]
