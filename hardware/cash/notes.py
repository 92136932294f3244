"""The bill validator: a note is held in escrow, somebody decides, and only `stacked` is money.

Every stack order ends in exactly one event: stacked, returned, or in doubt when the validator answers
again and for `FATE_S` says nothing of the note.
"""

from __future__ import annotations

from hardware.cash.acceptor import Acceptor
from hardware.cash.bus import Answered, Reply, Request, Silent
from hardware.cash.frames import Header
from hardware.cash.ring import RingEvent
from hardware.cash.status import (
    NOTE_CODES,
    NOTE_RETURNED,
    NOTE_UNNAMED,
    STACKER_CAUSES,
    STACKER_WELL,
    CashCause,
    note_named,
)
from municipio.devices import CashEventKind, CashUnit

COUNTRY = b"MX"
MODE_STACKER_AND_ESCROW = b"\x03"
STACK, RETURN = b"\x01", b"\x00"
HOLD_S = 20.0
"""A note that nobody decides about goes back."""

FATE_S = 12.0


class NoteValidator(Acceptor):
    unit = CashUnit.NOTES
    ring_header = Header.BILL_EVENTS
    id_header = Header.BILL_ID
    id_bytes = 7

    _scaling = 100
    held = 0
    """Centavos of the note in escrow."""
    pending = 0
    """Centavos of the note of a stack order that has not ended."""
    _last_held = 0
    _route: bytes | None = None
    _clean = False
    """The escrow was told to give back what a former life of this program left in it."""
    _held_at = 0.0
    _fate_at: float | None = None

    @property
    def is_busy_with_note(self) -> bool:
        return bool(self.held or self.pending or self._route is not None)

    @property
    def is_closed(self) -> bool:
        return super().is_closed and not self.is_busy_with_note

    def route(self, *, stack: bool) -> None:
        if self.held and self._route is None:
            self._route = STACK if stack else RETURN
            self.pending = self.held if stack else 0
        elif stack and not self.pending:
            # It went, or goes, back by itself; the stack order still needs an end.
            self._route, self.pending = RETURN, self._last_held

    def forget_order(self) -> None:
        """The journal holds no open stack order."""
        self.pending = 0

    def _setup(self) -> list[Request]:
        mode = Request(self.address, Header.OPERATING_MODE, MODE_STACKER_AND_ESCROW)
        asked = super()._setup()
        return [*asked[:-1], mode, asked[-1]]

    def _ask_names(self) -> list[Request]:
        scaling = Request(self.address, Header.SCALING, COUNTRY, 3)
        return [scaling, *super()._ask_names()]

    def _named(self, data: bytes) -> int:
        return note_named(data, self._scaling)

    def _heard_in_setup(self, reply: Answered, now: float) -> None:
        if reply.request.header == Header.SCALING:
            self._scaling = int.from_bytes(reply.data[:2], "little")
        super()._heard_in_setup(reply, now)

    def _meet(self, counter: int, now: float) -> None:
        super()._meet(counter, now)
        self._route = None if self._clean and not self.is_busy_with_note else RETURN
        self._clean = True
        self._fate_at = None

    def _restarted(self, now: float) -> None:
        super()._restarted(now)
        self.held = 0

    def _next_step(self, now: float) -> Request | None:
        if self.held and self._route is None and not self.pending and now - self._held_at > HOLD_S:
            self._route = RETURN
        if self._route is not None and self._is_marked:
            return Request(self.address, Header.ROUTE_BILL, self._route, length=None)
        if self._is_fate_due(now):
            lost, self.pending, self.held = self.pending, 0, 0
            self._say(CashEventKind.NOTE_IN_DOUBT, lost)
        return None

    def _is_fate_due(self, now: float) -> bool:
        is_over = self.pending and self._fate_at is not None and now >= self._fate_at
        return bool(is_over) and self._is_quiet and not self._audit and not self._waiting()

    def hear(self, reply: Reply, now: float) -> None:
        if reply.request.header == Header.ROUTE_BILL and not isinstance(reply, Silent):
            self._heard_at = now
            self._routed(now)
            return
        super().hear(reply, now)

    def _routed(self, now: float) -> None:
        """ACK, refused, escrow empty, cannot: whatever it says, an event or silence decides."""
        self._route = None
        self._is_quiet = False
        self._poll_at = now
        self._fate_at = now + FATE_S
        if not self.pending:
            self.held = 0

    def _happened(self, event: RingEvent, now: float) -> None:
        if event.a:
            self._piece(event, now)
        elif event.b == NOTE_RETURNED:
            amount = self.pending or self.held
            self.held = self.pending = 0
            self._say(CashEventKind.NOTE_RETURNED, amount)
        elif event.b == NOTE_UNNAMED:
            amount, self.pending, self.held = self.pending, 0, 0
            kind = CashEventKind.NOTE_STACKED if amount else CashEventKind.NOTE_UNNAMED
            self._say(kind, amount, is_counted=True)
        else:
            self._code(event.b, now)

    def _piece(self, event: RingEvent, now: float) -> None:
        amount = self._names.get(event.a, 0)
        if event.b == 1:
            wanted = bool(self.wanted) and amount > 0  # perhaps not this one any more: they say why
            self.held = self._last_held = amount
            self._held_at = now
            self._route = None if wanted else RETURN
            kind = CashEventKind.NOTE_HELD if wanted else CashEventKind.NOTED
            self._say(kind, amount if wanted else 0)
            return
        self.held = self.pending = 0
        kind = CashEventKind.NOTE_STACKED if amount else CashEventKind.NOTE_UNNAMED
        self._say(kind, amount, is_counted=True)

    def _code(self, code: int, now: float) -> None:
        cause = None if code in STACKER_WELL else NOTE_CODES.get(code, CashCause.NOTE_FAULT)
        if code in STACKER_WELL and self.cause in STACKER_CAUSES:
            self._clear_cause()
        if cause is not None:
            self._trouble(cause, now)
        self._say(CashEventKind.NOTED, cause="" if cause is None else cause.value)

    def _went_in_unread(self, count: int) -> None:
        if self.pending:
            amount, self.pending, self.held, count = self.pending, 0, 0, count - 1
            self._say(CashEventKind.NOTE_STACKED, amount)
        if count:
            super()._went_in_unread(count)
