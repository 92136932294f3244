"""Looking at a cash bus without touching it: is each peripheral there, and does it find itself well?"""

from __future__ import annotations

from hardware.cash.bus import Answered, Reply, Request, Silent
from hardware.cash.frames import Header
from hardware.cash.protocol import CashProtocol, CashSetup
from hardware.cash.ring import DEPTH, READING_BYTES
from hardware.cash.status import NOTE_CODES, STACKER_WELL, CashCause
from municipio.devices import CashUnit, DeviceState, DeviceStatus

LOOK_S = 0.5
SILENCE_S = 3.0
_FAULTS = {
    CashUnit.COINS: CashCause.COIN_FAULT,
    CashUnit.NOTES: CashCause.NOTE_FAULT,
    CashUnit.HOPPER: CashCause.HOPPER_JAM,
}


_STACKER = {
    code: cause
    for code, cause in NOTE_CODES.items()
    if cause in {CashCause.STACKER_FULL, CashCause.STACKER_REMOVED}
}


class Glance:
    """One peripheral, asked for a poll, its own check and, of notes, its last events by turns.

    Reading the events changes nothing in the validator: whoever keeps the journal still finds them.
    """

    def __init__(self, unit: CashUnit, address: int) -> None:
        self.unit = unit
        check = Header.HOPPER_TEST if unit is CashUnit.HOPPER else Header.SELF_CHECK
        self._poll = Request(address, Header.SIMPLE_POLL)
        self._check = Request(address, check, length=None)
        self._asks = [self._poll, self._check]
        if unit is CashUnit.NOTES:
            self._asks.append(Request(address, Header.BILL_EVENTS, length=READING_BYTES))
        self._turn = 0
        self._stacker: CashCause | None = None
        self._look_at = 0.0
        self._first_at = float("inf")
        self._heard_at = float("-inf")
        self._is_well = True

    def next(self, now: float) -> Request | None:
        self._first_at = min(self._first_at, now)
        if now < self._look_at:
            return None
        self._look_at = now + LOOK_S
        self._turn = (self._turn + 1) % len(self._asks)
        return self._asks[self._turn - 1]

    def hear(self, reply: Reply, now: float) -> None:
        if isinstance(reply, Silent):
            return
        self._heard_at = now
        if isinstance(reply, Answered) and reply.request == self._check:
            self._is_well = reply.data[:1] in (b"\0", b"\x40", b"\x80", b"\xc0")
        elif isinstance(reply, Answered) and reply.request.header == Header.BILL_EVENTS:
            self._hear_events(reply.data)

    def _hear_events(self, reading: bytes) -> None:
        """The newest word about the stacker counts; a counter of 0 is a restart, and says nothing."""
        if reading[0] == 0:
            self._stacker = None
            return
        for age in range(DEPTH):
            credit, code = reading[1 + 2 * age], reading[2 + 2 * age]
            if credit == 0 and (code in _STACKER or code in STACKER_WELL):
                self._stacker = _STACKER.get(code)
                return

    def lose(self, now: float) -> None:
        self._heard_at = float("-inf")
        self._stacker = None

    def status(self, now: float) -> DeviceStatus:
        if now - self._heard_at > SILENCE_S:
            if now - self._first_at < SILENCE_S or self._first_at == float("inf"):
                return DeviceStatus(DeviceState.STARTING)
            return DeviceStatus(DeviceState.UNKNOWN, CashCause.NO_ANSWER.value)
        if not self._is_well:
            return DeviceStatus(DeviceState.ATTENTION, _FAULTS[self.unit].value)
        if self._stacker is not None:
            return DeviceStatus(DeviceState.ATTENTION, self._stacker.value)
        return DeviceStatus(DeviceState.READY)


class Onlooker(CashProtocol):
    """The same bus, and nothing that a peripheral or a journal would remember."""

    def __init__(self, setup: CashSetup) -> None:
        super().__init__(CashSetup(0, 0, 0))
        found = {
            CashUnit.COINS: setup.coin_address,
            CashUnit.NOTES: setup.note_address,
            CashUnit.HOPPER: setup.hopper_address,
        }
        self._glances = {unit: Glance(unit, a) for unit, a in found.items() if a}
        self._parts.extend(self._glances.values())
        self._is_resumed = True

    def status(self, now: float) -> DeviceStatus:
        units = [g.status(now) for g in self._glances.values()]
        order = (DeviceState.UNKNOWN, DeviceState.ATTENTION, DeviceState.STARTING)
        worst = next((u for state in order for u in units if u.state is state), None)
        absent = DeviceStatus(DeviceState.ABSENT)
        return worst or (DeviceStatus(DeviceState.READY) if units else absent)

    def unit_status(self, unit: CashUnit, now: float) -> DeviceStatus:
        glance = self._glances.get(unit)
        return DeviceStatus(DeviceState.ABSENT) if glance is None else glance.status(now)
