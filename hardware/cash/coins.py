"""The coin acceptor: a coin that the ring tells of is in the box, there is nothing to decide."""

from __future__ import annotations

from hardware.cash.acceptor import Acceptor
from hardware.cash.ring import RingEvent
from hardware.cash.status import COIN_CODES, CashCause, coin_named
from municipio.devices import CashEventKind


class CoinAcceptor(Acceptor):
    def _named(self, data: bytes) -> int:
        return coin_named(data)

    def _happened(self, event: RingEvent, now: float) -> None:
        if event.a:
            amount = self._names.get(event.a, 0)
            if amount:
                self._clear_jam()
                self._say(CashEventKind.COIN_IN, amount, is_counted=True)
            else:
                self._say(CashEventKind.LOST, is_counted=True)
            return
        cause = COIN_CODES.get(event.b, CashCause.COIN_FAULT) if event.b else None
        if cause is not None:
            self._trouble(cause, now)
        elif event.b == 0:
            self._clear_jam()
        self._say(CashEventKind.NOTED, cause="" if cause is None else cause.value)

    def _clear_jam(self) -> None:
        if self.cause in (CashCause.COIN_JAM, CashCause.COIN_FAULT):
            self._clear_cause()
