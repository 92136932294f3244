"""Which trámites were opened on this kiosk, as totals for the city; nothing about anybody."""

from __future__ import annotations

import threading

from municipio.clock import Clock
from municipio.usecases.consulted import ConsultTally
from municipio.usecases.ports import Ledger


class Consults:
    """Safe for threads; may write to the ledger, so not on the screen's thread.

    An hour is told with the next consultation after it. What waits when the kiosk stops is lost: it was
    never on the card.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._lock = threading.Lock()
        self._tally = ConsultTally("kiosco", clock.now())

    def opened(self, tramite_id: str) -> None:
        with self._lock:
            draft = self._tally.close(self._clock.now())
            self._tally.opened(tramite_id)
        if draft is not None:
            self._ledger.record(draft)
