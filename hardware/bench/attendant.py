"""Somebody who takes whatever money is put in, so that the cash devices can be practised by themselves.

It stands for the node where no program of it holds the bus: accepts every piece that the peripherals
know, stacks every note, and counts what went in. It is no cashier: no debt, no journal.
"""

from __future__ import annotations

import threading

from hardware.cash.driver import CcTalkCash
from hardware.cash.protocol import CashSetup
from municipio.devices import CashEvent, CashEventKind, CashUnit, DeviceStatus
from municipio.settings import Settings

LOOK_EVERY_S = 0.1
_IN = frozenset({CashEventKind.COIN_IN, CashEventKind.NOTE_STACKED})


class CashAttendant:
    def __init__(self, settings: Settings) -> None:
        self._driver = CcTalkCash(
            settings.text("cash.port"), settings.number("cash.baud"), CashSetup()
        )
        self._driver.resume(())
        self._open: tuple[frozenset[int], frozenset[int]] | None = None
        self.taken_centavos = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cash-attendant", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        return self._driver.status()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)
        self._driver.close()

    def _run(self) -> None:
        while not self._closing.wait(LOOK_EVERY_S):
            known = (
                self._driver.denominations(CashUnit.COINS),
                self._driver.denominations(CashUnit.NOTES),
            )
            if known != self._open:
                self._open = known
                self._driver.accept(*known)
            for event in self._driver.events():
                self._take(event)

    def _take(self, event: CashEvent) -> None:
        if event.kind in _IN:
            self.taken_centavos += event.amount_centavos * event.count
        self._driver.confirm(event)
        if event.kind is CashEventKind.NOTE_HELD:
            self._driver.route(stack=True)
