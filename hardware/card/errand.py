"""One errand to a card: connect exclusively, carry a dialogue, let go. Bounded in time.

PC/SC calls cannot be interrupted, so each errand has a thread of its own. One that hangs is left
behind and holds the only place until its reader is pulled: nothing else hangs with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hardware.card.apdu import Dialogue, run
from hardware.card.pcsc import OpenService, PcscCause, Trouble

_T = TypeVar("_T")


class _Failed(Exception):
    """Carries a Trouble out of a dialogue; never leaves this module."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.cause.value)
        self.trouble = trouble


class Overdue:
    """The card or the service did not finish in time, or an older errand still hangs."""


class Errands:
    """Runs one errand at a time against the service that `open_service` gives."""

    def __init__(self, open_service: OpenService) -> None:
        self._open_service = open_service
        self._place = threading.Lock()

    @property
    def is_busy(self) -> bool:
        return self._place.locked()

    def run(
        self, reader: str, dialogue: Callable[[], Dialogue[_T]], timeout_s: float, *, reset: bool
    ) -> _T | Trouble | Overdue:
        """Wait at most `timeout_s` for the place and again for the end. `reset` clears the PIN after."""
        if not self._place.acquire(timeout=timeout_s):
            return Overdue()
        box: _Box[_T] = _Box()

        def work() -> None:
            try:
                box.result = self._carry(reader, dialogue, reset)
            finally:
                self._place.release()

        thread = threading.Thread(target=work, name="card-errand", daemon=True)
        thread.start()
        thread.join(timeout_s)
        if thread.is_alive():
            return Overdue()
        assert box.result is not None, "an errand ends with a value or raises in its thread"
        return box.result

    def _carry(
        self, reader: str, dialogue: Callable[[], Dialogue[_T]], reset: bool
    ) -> _T | Trouble:
        service = self._open_service()
        if isinstance(service, Trouble):
            return service
        try:
            channel = service.connect(reader)
            if isinstance(channel, Trouble):
                return channel

            def transmit(command: bytes) -> bytes:
                answer = channel.transmit(command)
                if isinstance(answer, Trouble):
                    raise _Failed(answer)
                return answer

            try:
                return run(dialogue(), transmit)
            except _Failed as failed:
                return failed.trouble
            finally:
                channel.close(reset=reset)
        finally:
            service.close()


class _Box(Generic[_T]):
    result: _T | Trouble | None = None


GONE = frozenset({PcscCause.NO_CARD, PcscCause.NO_READER})
