"""What coin acceptor and bill validator have in common: contact, gate, and a ring that is never misread.

Sans-IO. Rules that hold here:
- a reading of the ring is believed when it came twice the same;
- a restart is seen by the counter (0) or by the inhibit mask, which a restart clears and which is
  never left empty by us; it is marked as seen only after the journal holds it;
- nothing is opened before that, and the ring is not read on while events wait for the journal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from hardware.cash import ring
from hardware.cash.bus import Answered, Refused, Reply, Request, Silent
from hardware.cash.frames import Header
from hardware.cash.status import FRAUD_S, STOPPING, CashCause
from municipio.devices import (
    CashEvent,
    CashEventKind,
    CashPosition,
    CashUnit,
    DeviceState,
    DeviceStatus,
)

TYPES = 16
POLL_OPEN_S = 0.1
POLL_CLOSED_S = 0.3
CHECK_S = 1.0
SETTLE_S = 0.5
"""A coin that was past the gate when it closed is counted in this time."""
SELF_CHECK_S = 3.0
RETRY_S = 0.5
SILENCE_S = 3.0
COUNT_MODULUS = 1 << 24
WAITING_MAX = 16
"""Events told and not confirmed; above it the ring is left alone."""

Tell = Callable[[CashEvent], None]
Waiting = Callable[[], int]


class Acceptor:
    """One accepting peripheral at `address`. `next` says what to ask, `hear` takes what was answered."""

    unit = CashUnit.COINS
    ring_header = Header.COIN_EVENTS
    id_header = Header.COIN_ID
    id_bytes = 6

    def __init__(self, address: int, tell: Tell, waiting: Waiting) -> None:
        self.address = address
        self._tell = tell
        self._waiting = waiting
        self.has_contact = False
        self._started = False
        self._heard_at = float("-inf")
        self._retry_at = 0.0
        self._born_at = float("inf")
        """When it was first asked."""
        self._script: deque[Request] = deque()
        self._serial = -1
        self._names: dict[int, int] = {}
        self.position: CashPosition | None = None
        self._accepted = -1
        self._is_marked = False
        self._audit = False
        """The lifetime count is still to be compared; done at every contact, behind a closed gate."""
        self._is_grave = False
        """Events were surely lost: without a lifetime count nobody can say how many pieces."""
        self.wanted: frozenset[int] = frozenset()
        self._is_open = False
        self._open_for: frozenset[int] = frozenset()
        self._is_quiet = False
        self._last = b""
        self._poll_at = self._check_at = self._self_check_at = self._quiet_from = 0.0
        self.cause: CashCause | None = None
        self._cause_until = float("inf")

    # --- what others may know -------------------------------------------------------------

    @property
    def denominations(self) -> frozenset[int]:
        return frozenset(self._names.values())

    @property
    def is_usable(self) -> bool:
        return self.has_contact and self._is_marked and not self._audit and not self._is_stopped

    @property
    def is_open(self) -> bool:
        return self._is_open and bool(self._open_for)

    @property
    def is_closed(self) -> bool:
        """Told to refuse everything, and read without news since."""
        return not self._is_open and self._is_quiet and not self._audit

    @property
    def _is_stopped(self) -> bool:
        return self.cause in STOPPING or self.cause in (CashCause.COIN_FRAUD, CashCause.NOTE_FRAUD)

    def status(self, now: float) -> DeviceStatus:
        if not self.has_contact or now - self._heard_at > SILENCE_S:
            fresh = not self._started and now - self._born_at < SILENCE_S
            state = DeviceState.STARTING if fresh else DeviceState.UNKNOWN
            return DeviceStatus(state, "" if fresh else CashCause.NO_ANSWER.value)
        if self.cause is not None:
            return DeviceStatus(DeviceState.ATTENTION, self.cause.value)
        return DeviceStatus(DeviceState.READY if self._is_marked else DeviceState.STARTING)

    # --- the talk ---------------------------------------------------------------------------

    def next(self, now: float) -> Request | None:
        self._born_at = min(self._born_at, now)
        if not self.has_contact:
            return self._next_of_setup(now)
        if self.cause is not None and now >= self._cause_until:
            self._clear_cause()
        return self._next_step(now) or self._next_gate() or self._next_poll(now)

    def hear(self, reply: Reply, now: float) -> None:
        if isinstance(reply, Silent):
            self.lose(now)
            return
        self._heard_at = now
        if isinstance(reply, Refused):
            self._refused(reply.request, now)
        else:
            self._answered(reply, now)

    def _next_step(self, now: float) -> Request | None:
        """What a kind of acceptor must do before anything else."""
        return None

    def _next_of_setup(self, now: float) -> Request | None:
        if not self._script:
            if now < self._retry_at:
                return None
            self._script.extend(self._setup())
        return self._script[0]

    def _setup(self) -> list[Request]:
        ask = [Request(self.address, Header.SIMPLE_POLL, tries=1)]
        ask.append(Request(self.address, Header.SERIAL, length=3))
        if not self._names:
            ask += self._ask_names()
        ask.append(Request(self.address, Header.MASTER_INHIBIT, b"\0"))
        ask.append(Request(self.address, Header.READ_INHIBITS, length=2))
        ask.append(Request(self.address, Header.ACCEPT_COUNT, length=3))
        ask.append(Request(self.address, self.ring_header, length=ring.READING_BYTES))
        return ask

    def _ask_names(self) -> list[Request]:
        """Requests that make every piece known."""
        return [
            Request(self.address, self.id_header, bytes((n,)), self.id_bytes)
            for n in range(1, TYPES + 1)
        ]

    def _next_gate(self) -> Request | None:
        if not self._is_marked:
            if self._waiting():
                return None
            return Request(self.address, Header.INHIBITS, b"\xff\xff")
        wanted = self.wanted & self.denominations if self.is_usable else frozenset()
        if self._is_open and (not wanted or wanted != self._open_for):
            if not wanted:
                return Request(self.address, Header.MASTER_INHIBIT, b"\0")
            return Request(self.address, Header.INHIBITS, self._mask(wanted))
        if wanted and not self._is_open:
            if wanted != self._open_for:
                return Request(self.address, Header.INHIBITS, self._mask(wanted))
            return Request(self.address, Header.MASTER_INHIBIT, b"\1")
        return None

    def _next_poll(self, now: float) -> Request | None:
        if self._audit and self._is_quiet_closed and not self._waiting():
            return Request(self.address, Header.ACCEPT_COUNT, length=3)
        if now >= self._check_at:
            return Request(self.address, Header.READ_INHIBITS, length=2)
        if self._is_stopped and now >= self._self_check_at:
            return Request(self.address, Header.SELF_CHECK, length=None)
        if now >= self._poll_at and self._is_marked and self._waiting() < WAITING_MAX:
            return Request(self.address, self.ring_header, length=ring.READING_BYTES)
        return None

    @property
    def _is_quiet_closed(self) -> bool:
        return not self._is_open and self._is_quiet

    def _mask(self, wanted: frozenset[int]) -> bytes:
        bits = sum(1 << (n - 1) for n, amount in self._names.items() if amount in wanted)
        return bits.to_bytes(2, "little")

    # --- answers ----------------------------------------------------------------------------

    def _answered(self, reply: Answered, now: float) -> None:
        header, data = reply.request.header, reply.data
        if self._script and reply.request == self._script[0]:
            self._script.popleft()
            self._heard_in_setup(reply, now)
            return
        if header == self.ring_header:
            self._heard_ring(data, now)
        elif header == Header.READ_INHIBITS:
            self._check_at = now + CHECK_S
            if self._is_marked and data == b"\0\0":
                self.lose(now)
        elif header == Header.INHIBITS:
            self._heard_mask(reply.request.data)
        elif header == Header.MASTER_INHIBIT:
            self._is_open, self._is_quiet = reply.request.data == b"\1", False
            self._poll_at, self._quiet_from = now, now + SETTLE_S
        elif header == Header.ACCEPT_COUNT:
            self._heard_audit(int.from_bytes(data, "little"))
        elif header == Header.SELF_CHECK:
            self._self_check_at = now + SELF_CHECK_S
            if data[:1] == b"\0" and self._cause_until == float("inf"):
                self._clear_cause()

    def _heard_mask(self, mask: bytes) -> None:
        was_marked, self._is_marked = self._is_marked, True
        self._open_for = frozenset(
            amount
            for n, amount in self._names.items()
            if int.from_bytes(mask, "little") >> (n - 1) & 1
        )
        if not was_marked:
            self._open_for = frozenset()  # only the mark, behind a closed gate

    def _heard_in_setup(self, reply: Answered, now: float) -> None:
        header, data = reply.request.header, reply.data
        if header == Header.SERIAL:
            self._heard_serial(int.from_bytes(data, "little"))
        elif header == self.id_header:
            amount = self._named(data)
            if amount:
                self._names[reply.request.data[0]] = amount
        elif header == Header.MASTER_INHIBIT:
            self._is_open, self._is_quiet, self._quiet_from = False, False, now + SETTLE_S
        elif header == Header.READ_INHIBITS:
            self._is_marked = data != b"\0\0"
            self._open_for = frozenset()
        elif header == Header.ACCEPT_COUNT:
            self._accepted = int.from_bytes(data, "little")
        elif header == self.ring_header:
            self._meet(data[0], now)

    def _heard_serial(self, serial: int) -> None:
        if serial != self._serial and self._serial != -1:
            self._names.clear()
            self.lose(self._retry_at)
        self._serial = serial

    def _named(self, data: bytes) -> int:
        raise NotImplementedError

    def _meet(self, counter: int, now: float) -> None:
        """Contact: is this the peripheral that the journal knows, and has it restarted since?"""
        self.has_contact = self._started = True
        self._last = b""
        self._poll_at = self._check_at = now
        known = self.position
        if known is None or known.serial != self._serial:
            self.position = CashPosition(self.unit, self._serial, counter, self._accepted)
            self._note_start("baseline" if known is None else "replaced", now)
        elif not self._is_marked or ring.has_reset(known.counter, counter):
            self.position = replace(known, counter=0)
            self._audit = self._is_grave = True
            self._note_start("restarted", now)
        else:
            self._audit = known.accepted >= 0 or self._is_grave

    def _note_start(self, cause: str, now: float) -> None:
        assert self.position is not None, "met before noted"
        self._is_marked = False
        self._restarted(now)
        self._tell(CashEvent(CashEventKind.NOTED, self.position, cause=cause))

    def _restarted(self, now: float) -> None:
        self._clear_cause()

    def _refused(self, request: Request, now: float) -> None:
        if self._script and request == self._script[0]:
            self._script.popleft()
            if request.header == Header.ACCEPT_COUNT:
                self._accepted = -1
            elif request.header in (Header.SERIAL, self.ring_header):
                self.lose(now)
        elif request.header == Header.ACCEPT_COUNT:
            self._heard_audit(-1)
        else:
            self._poll_at = self._check_at = self._self_check_at = now + POLL_CLOSED_S

    def lose(self, now: float) -> None:
        """Out of contact: everything is asked anew."""
        self.has_contact = self._is_open = self._is_quiet = False
        self._open_for = frozenset()
        self._script.clear()
        self._retry_at = now + RETRY_S

    # --- the ring ---------------------------------------------------------------------------

    def _heard_ring(self, data: bytes, now: float) -> None:
        assert self.position is not None, "contact gives a position"
        self._poll_at = now + (POLL_OPEN_S if self._is_busy else POLL_CLOSED_S)
        if data[0] == self.position.counter:
            self._last, self._is_quiet = b"", now >= self._quiet_from
        elif data != self._last:
            self._last, self._is_quiet, self._poll_at = data, False, now
        elif ring.has_reset(self.position.counter, data[0]):
            self.lose(now)
        else:
            self._last, self._is_quiet = b"", False
            self._poll_at = now
            self._take(data, now)

    @property
    def _is_busy(self) -> bool:
        return self._is_open or not self._is_quiet

    def _take(self, reading: bytes, now: float) -> None:
        assert self.position is not None, "contact gives a position"
        told = ring.news(self.position.counter, reading)
        if told.lost:
            self._audit = self._is_grave = True
            counter = (told.events[0].counter - 2) % 255 + 1
            self.position = replace(self.position, counter=counter)
            self._tell(CashEvent(CashEventKind.NOTED, self.position, cause="overrun"))
        for event in told.events:
            self.position = replace(self.position, counter=event.counter)
            self._happened(event, now)

    def _happened(self, event: ring.RingEvent, now: float) -> None:
        raise NotImplementedError

    def _say(
        self,
        kind: CashEventKind,
        amount: int = 0,
        *,
        cause: str = "",
        count: int = 1,
        is_counted: bool = False,
    ) -> None:
        """`is_counted`: the position's lifetime count does not hold this piece yet."""
        assert self.position is not None, "contact gives a position"
        if is_counted and self.position.accepted >= 0:
            accepted = (self.position.accepted + 1) % COUNT_MODULUS
            self.position = replace(self.position, accepted=accepted)
        self._tell(CashEvent(kind, self.position, amount, count, cause))

    def _heard_audit(self, accepted: int) -> None:
        """The peripheral's own lifetime count against ours: how many pieces went in unread."""
        assert self.position is not None, "contact gives a position"
        was_grave, self._audit, self._is_grave = self._is_grave, False, False
        known = self.position.accepted
        if known < 0 or accepted < 0:
            if was_grave:
                self._say(CashEventKind.LOST, count=-1)
            return
        lost = (accepted - known) % COUNT_MODULUS
        if 0 < lost < COUNT_MODULUS // 2:
            self.position = replace(self.position, accepted=accepted)
            self._went_in_unread(lost)

    def _went_in_unread(self, count: int) -> None:
        self._say(CashEventKind.LOST, count=count)

    # --- trouble ----------------------------------------------------------------------------

    def _trouble(self, cause: CashCause, now: float) -> None:
        self.cause = cause
        fraud = cause in (CashCause.COIN_FRAUD, CashCause.NOTE_FRAUD)
        self._cause_until = now + FRAUD_S if fraud else float("inf")
        self._self_check_at = now + SELF_CHECK_S

    def _clear_cause(self) -> None:
        self.cause, self._cause_until = None, float("inf")
