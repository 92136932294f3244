"""Can this terminal be charged now? What the list of terminals says, and how long ago. Sans-IO."""

from __future__ import annotations

from hardware.terminal.causes import TerminalCause
from hardware.terminal.mercadopago.protocol import (
    TERMINALS_A_PAGE,
    Answer,
    Call,
    NoAnswer,
    list_terminals,
    read_terminals,
)
from municipio.devices import DeviceState, DeviceStatus

SILENCE_S = 3.0
RETRY_S, RETRY_MAX_S = 1.0, 30.0
REFUSED_RETRY_S = 30.0
PAGES_MAX = 20
TAKES_ORDERS = frozenset({"PDV", "SELF_SERVICE"})


class TerminalWatch:
    """Asks every `every_s` seconds, sooner after a failure. Not thread-safe."""

    def __init__(self, terminal_id: str, now: float, every_s: float) -> None:
        self._id = terminal_id
        self._every_s = every_s
        self._ask_at = now
        self._retry_s = RETRY_S
        self._offset = 0
        self._told: DeviceStatus | None = None
        self._heard_at = now
        self._failing_since: float | None = None

    @property
    def next_at(self) -> float:
        return self._ask_at

    def status(self, now: float) -> DeviceStatus:
        silent = self._failing_since is not None and now - self._failing_since > SILENCE_S
        if silent or now - self._heard_at > self._every_s * 2 + SILENCE_S:
            return DeviceStatus(DeviceState.UNKNOWN, TerminalCause.NO_ANSWER.value)
        return self._told or DeviceStatus(DeviceState.STARTING)

    def next_call(self, now: float) -> Call | None:
        return list_terminals(self._offset) if now >= self._ask_at else None

    def reached(self, now: float) -> None:
        """The service answered something else: the way to it is open."""
        self._heard_at = now
        if self._failing_since is not None:
            self._failing_since = None
            self._ask_at = now

    def answered(self, answer: Answer | NoAnswer, now: float) -> None:
        if isinstance(answer, Answer) and answer.status in (401, 403):
            self._tell(DeviceState.FAULT, TerminalCause.TOKEN_REFUSED, now)
            self._ask_at = now + REFUSED_RETRY_S
            return
        modes = read_terminals(answer) if isinstance(answer, Answer) else None
        if modes is None or not isinstance(answer, Answer) or answer.status != 200:
            self.failed(now)
            return
        mode = modes.get(self._id)
        more = mode is None and len(modes) >= TERMINALS_A_PAGE
        if more and self._offset < PAGES_MAX * TERMINALS_A_PAGE:
            self._offset += TERMINALS_A_PAGE
            self._ask_at = now
            return
        if mode is None:
            self._tell(DeviceState.ABSENT, TerminalCause.NOT_LISTED, now)
        elif mode in TAKES_ORDERS:
            self._tell(DeviceState.READY, None, now)
        else:
            self._tell(DeviceState.ATTENTION, TerminalCause.STANDALONE, now)

    def failed(self, now: float) -> None:
        """No answer, or nonsense."""
        if self._failing_since is None:
            self._failing_since = now
        self._offset = 0
        self._ask_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_MAX_S, max(self._every_s, RETRY_S))

    def _tell(self, state: DeviceState, cause: TerminalCause | None, now: float) -> None:
        self._told = DeviceStatus(state, cause.value if cause else "")
        self._heard_at, self._failing_since = now, None
        self._retry_s, self._offset = RETRY_S, 0
        self._ask_at = now + self._every_s
