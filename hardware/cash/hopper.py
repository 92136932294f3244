"""The hopper: pays coins of one denomination, and its own lifetime count says how many left.

Nothing is ever paid twice: an order is said once, never repeated, and whatever became of it is read
from the count (header 168), which survives a power cut.
"""

from __future__ import annotations

from collections import deque

from hardware.cash.acceptor import RETRY_S, SILENCE_S
from hardware.cash.bus import Answered, Refused, Reply, Request, Silent
from hardware.cash.frames import Header
from hardware.cash.status import CashCause
from municipio.devices import DeviceState, DeviceStatus, Payout, PayoutState

COUNT_MODULUS = 1 << 24
ENABLE = b"\xa5"
POLL_S = 0.8
POLL_PAYING_S = 0.1
SEND_BY_S = 3.0
"""An order that could not leave in this time never leaves: the person has walked on."""

LOST_S = 10.0
LEVEL_LOW = 0x01
JAM_BITS = 0x01 | 0x02 | 0x10 | 0x20
"""Of the first test byte (163): over-current, timeout, and the exit sensor blocked or abused."""


class Hopper:
    """`next` and `hear` as the acceptors; `dispense` once at a time."""

    def __init__(self, address: int, coin_centavos: int, *, uses_key: bool) -> None:
        self.address = address
        self.coin_centavos = coin_centavos
        self._uses_key = uses_key
        self.has_contact = False
        self._heard_at = float("-inf")
        self._retry_at = 0.0
        self._born_at = float("inf")
        """When it was first asked."""
        self._started = False
        self._script: deque[Request] = deque()
        self._serial = b"\0\0\0"
        self.cause: CashCause | None = None
        self._count: int | None = None
        self._count_before = 0
        self._ordered = 0
        self._state = PayoutState.IDLE
        self._send_by = 0.0
        self._is_sent = False
        self._poll_at = 0.0
        self._settling = 0
        self._remaining = 1
        self._is_still = False
        """The count was read after a status with nothing left to pay."""

    def status(self, now: float) -> DeviceStatus:
        if not self.has_contact or now - self._heard_at > SILENCE_S:
            fresh = not self._started and now - self._born_at < SILENCE_S
            state = DeviceState.STARTING if fresh else DeviceState.UNKNOWN
            return DeviceStatus(state, "" if fresh else CashCause.NO_ANSWER.value)
        if self._state is PayoutState.PAYING:
            return DeviceStatus(DeviceState.BUSY)
        if self.cause is not None:
            return DeviceStatus(DeviceState.ATTENTION, self.cause.value)
        return DeviceStatus(DeviceState.READY)

    @property
    def count(self) -> int | None:
        """None while coins may still leave: also those of an order by a former life of this program."""
        is_still = self.has_contact and self._is_still
        is_still = is_still and self._state is not PayoutState.PAYING
        return self._count if is_still else None

    def payout(self) -> Payout:
        paid = 0
        if self._is_sent and self._count is not None:
            paid = min((self._count - self._count_before) % COUNT_MODULUS, self._ordered)
        return Payout(self._state, self._ordered, paid)

    def dispense(self, coins: int, now: float) -> None:
        assert self._state is not PayoutState.PAYING, "one order at a time"
        self._ordered, self._is_sent, self._state = coins, False, PayoutState.PAYING
        self._send_by = now + SEND_BY_S
        if self.has_contact:
            self._script.clear()

    def next(self, now: float) -> Request | None:
        self._born_at = min(self._born_at, now)
        if self._state is PayoutState.PAYING:
            self._check_time(now)
        if not self._script:
            self._fill(now)
        return self._script[0] if self._script else None

    def _check_time(self, now: float) -> None:
        if not self._is_sent and now > self._send_by:
            self._state = PayoutState.NOT_SENT
            self._script.clear()
        elif self._is_sent and not self.has_contact and now - self._heard_at > LOST_S:
            self._state = PayoutState.UNKNOWN

    def _fill(self, now: float) -> None:
        if not self.has_contact:
            if now >= self._retry_at:
                self._script += [
                    self._ask(Header.SIMPLE_POLL, tries=1),
                    self._ask(Header.SERIAL, length=3),
                    self._ask(Header.HOPPER_STATUS, length=4),
                    self._ask(Header.DISPENSE_COUNT, length=3),
                ]
        elif self._state is PayoutState.PAYING and not self._is_sent:
            self._script += self._order()
        elif now >= self._poll_at:
            self._script.append(self._ask(Header.HOPPER_STATUS, length=4))
            self._script.append(self._ask(Header.DISPENSE_COUNT, length=3))
            if self._state is not PayoutState.PAYING:
                self._script.append(self._ask(Header.HOPPER_TEST, length=None))
                self._script.append(self._ask(Header.HOPPER_LEVEL, length=1))

    def _ask(
        self, header: int, data: bytes = b"", *, length: int | None = 0, tries: int = 3
    ) -> Request:
        return Request(self.address, header, data, length, tries)

    def _order(self) -> list[Request]:
        """Count, enable, and one dispense: with the serial number, or with the key sequence."""
        steps = [
            self._ask(Header.DISPENSE_COUNT, length=3),
            self._ask(Header.HOPPER_ENABLE, ENABLE),
        ]
        if self._uses_key:
            steps.append(self._ask(Header.PUMP_RNG, bytes(range(8))))
            steps.append(self._ask(Header.CIPHER_KEY, length=8))
        else:
            steps.append(self._dispense(self._serial))
        return steps

    def _dispense(self, proof: bytes) -> Request:
        coins = bytes((self._ordered,))
        return self._ask(Header.DISPENSE, proof + coins, length=None, tries=1)

    def hear(self, reply: Reply, now: float) -> None:
        header = reply.request.header
        if not self._script or reply.request != self._script[0]:
            return
        if header == Header.DISPENSE:
            self._is_sent, self._settling = True, 0
        if isinstance(reply, Silent):
            self.lose(now)
            return
        self._heard_at = now
        self._script.popleft()
        if isinstance(reply, Refused):
            self._refused(header, now)
        else:
            self._answered(reply, now)

    def _refused(self, header: int, now: float) -> None:
        if header in (Header.HOPPER_ENABLE, Header.PUMP_RNG, Header.CIPHER_KEY):
            self._script.clear()
            self._state = PayoutState.NOT_SENT
        elif header in (Header.SERIAL, Header.DISPENSE_COUNT, Header.HOPPER_STATUS):
            self.lose(now)  # without its count nobody could say what it paid

    def _answered(self, reply: Answered, now: float) -> None:
        data = reply.data
        match reply.request.header:
            case Header.SERIAL:
                self._serial = data
            case Header.CIPHER_KEY:
                self._script.append(self._dispense(data))
            case Header.HOPPER_STATUS:
                self._remaining = data[1]
                self._is_still = self._is_still and not self._remaining
                self._poll_at = now + self._pace()
            case Header.DISPENSE_COUNT:
                self._counted(int.from_bytes(data, "little"))
            case Header.HOPPER_TEST:
                jam = bool(data and data[0] & JAM_BITS)
                self._mark(CashCause.HOPPER_JAM, jam)
            case Header.HOPPER_LEVEL:
                self._mark(CashCause.HOPPER_EMPTY, bool(data[0] & LEVEL_LOW))

    def _pace(self) -> float:
        return POLL_PAYING_S if self._state is PayoutState.PAYING else POLL_S

    def _counted(self, count: int) -> None:
        """Read after the status: with none remaining twice in a row and the same count, it is over."""
        same = count == self._count
        self._count = count
        self._is_still = not self._remaining
        if not self.has_contact:
            self.has_contact = self._started = True
        if self._state is not PayoutState.PAYING:
            return
        if not self._is_sent:
            self._count_before = count
            return
        self._settling = self._settling + 1 if same and not self._remaining else 0
        if self._settling >= 2:
            self._state = PayoutState.IDLE

    def _mark(self, cause: CashCause, holds: bool) -> None:
        if holds:
            self.cause = cause
        elif self.cause is cause:
            self.cause = None

    def lose(self, now: float) -> None:
        self.has_contact = self._is_still = False
        self._script.clear()
        self._retry_at = now + RETRY_S
