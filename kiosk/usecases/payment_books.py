"""How any payment enters the ledger: its intent, its folio and the rows that go with each of its facts.

Card and cash share these lines, so that both open a folio and tell its state in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from kiosk.usecases import payment_facts
from municipio.clock import Instant
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.predial import Liquidacion
from municipio.usecases.ports import Change, FolioStub, Ledger, NotRecorded


class PaymentBooks:
    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], Instant],
        today: Callable[[], date | None],
        new_key: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._today = today
        self._new_key = new_key

    def intend(
        self,
        liquidacion: Liquidacion,
        concepts: tuple[tuple[str, int], ...],
        method: PaymentMethod,
        amount_centavos: int,
    ) -> Payment | NotRecorded:
        """Record `payment.intended`, which opens the folio. Nothing has been actuated."""
        at = self._now()
        draft = Payment(
            key=self._new_key(),
            folio="",
            clave=liquidacion.clave,
            amount_centavos=amount_centavos,
            method=method,
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
        return replace(draft, folio=recorded.folio)

    def rows(self, payment: Payment) -> tuple[Change, ...]:
        """The payment and its folio's stub. Reads the ledger: call it before the transaction."""
        return _rows(payment, self._opened_on(payment))

    def _opened_on(self, payment: Payment) -> str:
        """When the folio was opened; read before the transaction that writes it again."""
        stub = self._ledger.folio(payment.folio) if payment.folio else None
        today = self._today()
        return stub.opened_on if stub else "" if today is None else today.isoformat()


def _rows(payment: Payment, opened_on: str) -> tuple[Change, ...]:
    detail: dict[str, Any] = {
        "amount_centavos": payment.amount_centavos,
        "method": payment.method.value,
    }
    if payment.method is PaymentMethod.CASH:
        detail["collected_centavos"] = payment.collected_centavos
        detail["owed_centavos"] = payment.owed_centavos
    state = payment_facts.FOLIO_STATES[payment.state]
    return (payment, FolioStub(payment.folio, "predial", state, opened_on, detail))
