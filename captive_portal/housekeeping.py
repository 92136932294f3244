"""What nobody asks for and still has to be done: books, checkpoints, the hour's totals."""

from __future__ import annotations

import logging
import threading

from captive_portal.door import Door

SETTLE_S = 10.0
CHECKPOINT_ROUNDS = 12
"""Codes are written every two minutes: what a power cut may give back at most."""
_log = logging.getLogger("plaza.captive_portal")


class HouseKeeper:
    """Runs beside the server. A fault of ours is logged and the next round tried."""

    def __init__(self, door: Door, every_s: float = SETTLE_S) -> None:
        self._door = door
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The last round: an orderly stop loses no hour and no minute."""
        self._stopping.set()
        self._thread.join(5)
        self._door.settle()
        self._door.checkpoint()
        self._door.tell_hour(at_once=True)

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.wait(self._every_s):
            rounds += 1
            try:
                self._door.settle()
                self._door.tell_hour()
                if rounds % CHECKPOINT_ROUNDS == 0:
                    self._door.checkpoint()
            except Exception as e:
                _log.error("housekeeping: unexpected %s", type(e).__name__, exc_info=e)
