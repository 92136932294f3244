"""A technician's login: card, PIN, challenge, session. No screen, no kivy.

A screen polls `progress` and calls `enter_pin`, `touch`, `log_out`: none of them blocks. The work
(`step`) runs in a thread of its own. Order of a try: the failure is stored, then the card gets the
PIN, then success clears it; so pulling the plug midway never makes a try free.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from kiosk.usecases.technician_progress import (
    Access,
    BadCard,
    Checking,
    EnterPin,
    InsertCard,
    Limit,
    LoggedIn,
    LoggedOut,
    NoAccess,
    NoReader,
    Progress,
    ReadingCard,
    Refusal,
    WaitToTry,
)
from municipio.clock import Instant
from municipio.devices import (
    CardGone,
    CardReader,
    CardTrouble,
    LastTry,
    Pin,
    PinBlocked,
    PinWrong,
    Proof,
    Proved,
    Slot,
    SlotState,
)
from municipio.facts import FactDraft, FactType
from municipio.technicians import (
    Guard,
    SessionClock,
    SessionEnd,
    Technician,
    TechnicianList,
    Validity,
    both,
    cleared,
    failed,
    has_signed,
    login_message,
    resumed,
    validity,
    wait_left_s,
)
from municipio.usecases.ports import Ledger, NotRecorded
from municipio.wire.technician_list import ListProblem

STEP_S = 0.1
OWED_MAX = 64


class GuardStore(Protocol):
    def load(self) -> Guard: ...

    def save(self, guard: Guard) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Session:
    technician: Technician
    clock: SessionClock
    insertion: int
    reader: str
    limit: Limit | None


class TechnicianLogin:
    """One node's door for technicians. Safe to call from several threads."""

    def __init__(
        self,
        *,
        reader: CardReader,
        ledger: Ledger,
        allow_list: Callable[[int], TechnicianList | ListProblem],
        guard_store: GuardStore,
        now: Callable[[], Instant],
        today: Callable[[], date | None],
        new_challenge: Callable[[], bytes],
        node_code: str,
    ) -> None:
        """`allow_list` is given the newest serial seen; `new_challenge` 32 bytes of a secure source."""
        self._reader = reader
        self._ledger = ledger
        self._allow_list = allow_list
        self._store = guard_store
        self._now = now
        self._today = today
        self._new_challenge = new_challenge
        self._node_code = node_code
        self._guard = resumed(guard_store.load(), now())
        self._stored = guard_store.save(self._guard) if self._guard.failures else True
        self._lock = threading.RLock()
        self._shown: Progress = ReadingCard()
        self._shown_of = 0
        """The insertion that `_shown` speaks of: a PIN goes to the card that the person saw, or nowhere."""
        self._session: _Session | None = None
        self._entered: tuple[Pin, bool, int] | None = None
        self._refused: tuple[int, Refusal] | None = None
        self._ended_at: int | None = None
        """The insertion in which a session ended, until `begin` or another card."""
        self._reported = 0
        self._owed: deque[FactDraft] = deque(maxlen=OWED_MAX)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # --- what a screen calls: none of it blocks

    def progress(self) -> Progress:
        """Where it stands. A card that is out is a logout here and now, before anything is stored."""
        slot, at = self._reader.slot(), self._now()
        with self._lock:
            session = self._session
            if session is None:
                return self._shown
        why = _over(session, slot, at)
        if why is not None:
            return LoggedOut(why)
        access = Access.FULL if session.limit is None else Access.DIAGNOSIS
        clock = session.clock
        return LoggedIn(
            session.technician, access, session.limit, clock.left_s(at), clock.warns(at)
        )

    def enter_pin(self, pin: Pin, *, spend_last_try: bool = False) -> bool:
        """Hand over a PIN, which is wiped after its one use. False when none is wanted now."""
        with self._lock:
            if not isinstance(self._shown, EnterPin) or self._session or self._entered:
                pin.wipe()
                return False
            self._entered = (pin, spend_last_try, self._shown_of)
            self._shown = Checking()
            return True

    def touch(self) -> None:
        """The technician did something: the idle time starts anew, unless it is already over."""
        at = self._now()
        with self._lock:
            session = self._session
            if session is not None and session.clock.ended(at) is None:
                self._session = replace(session, clock=session.clock.touched(at))

    def log_out(self) -> None:
        """End the session now; the fact follows with the next step.

        Whoever closes the screen because the card is out may be faster than `step`: the reason is the card.
        """
        slot, at = self._reader.slot(), self._now()
        with self._lock:
            if self._session is not None:
                self._end(self._session, _over(self._session, slot, at) or SessionEnd.ASKED)

    def begin(self) -> None:
        """Forget how the last session ended: the card that is still in may try again."""
        with self._lock:
            self._ended_at = None

    # --- the thread

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="technician", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        with self._lock:
            if self._session is not None:
                self._end(self._session, SessionEnd.CLOSED)
        self._pay_owed()

    def _run(self) -> None:
        while not self._stop.wait(STEP_S):
            self.step()

    def step(self) -> None:
        """Look once and do what is due. Blocks while the card works and the disk writes."""
        slot, at = self._reader.slot(), self._now()
        with self._lock:
            session, entered = self._session, self._entered
            if session is not None:
                why = _over(session, slot, at)
                if why is not None:
                    self._end(session, why)
        if entered is not None:
            self._try(*entered)
        self._show()
        self._pay_owed()

    def _show(self) -> None:
        slot, at = self._reader.slot(), self._now()
        shown = self._judged(slot, at)
        with self._lock:
            if self._ended_at is not None and slot.insertion != self._ended_at:
                self._ended_at = None
            if self._session is None and self._entered is None and self._ended_at is None:
                self._shown, self._shown_of = shown, slot.insertion

    # --- judging what is in the slot

    def _judged(self, slot: Slot, at: Instant) -> Progress:
        match slot.state:
            case SlotState.NO_READER | SlotState.UNKNOWN:
                return NoReader(slot.state, slot.cause)
            case SlotState.NO_CARD:
                return InsertCard()
            case SlotState.READING:
                return ReadingCard()
            case SlotState.CARD_ERROR:
                return BadCard(slot.cause)
        who = self._admitted(slot.public_key, at)
        if isinstance(who, NoAccess):
            self._report_stranger(who, slot)
            return who
        technician, _ = who
        refused = self._refused[1] if self._refused and self._refused[0] == slot.insertion else None
        wait_s = wait_left_s(self._guard, at)
        if wait_s:
            return WaitToTry(wait_s, refused)
        last = slot.tries_left is None or slot.tries_left <= 1
        return EnterPin(technician.id, slot.tries_left, last, refused)

    def _admitted(self, public_key: bytes, at: Instant) -> tuple[Technician, Validity] | NoAccess:
        """Whose key that is by a list that holds, and whether the time is sure."""
        listed = self._allow_list(self._guard.list_serial)
        if isinstance(listed, ListProblem):
            return NoAccess(Refusal.NO_LIST, listed.trouble.value)
        today, trusted = self._today(), at.is_trusted
        of_list = validity(listed.valid_from, listed.valid_until, today, trusted=trusted)
        if of_list in _LIST_REFUSALS:
            return NoAccess(_LIST_REFUSALS[of_list])
        if listed.serial > self._guard.list_serial:
            self._keep(replace(self._guard, list_serial=listed.serial))
        owner = listed.owner_of(public_key)
        if owner is None:
            return NoAccess(Refusal.UNKNOWN_CARD)
        of_person = validity(owner.valid_from, owner.valid_until, today, trusted=trusted)
        if of_person in _PERSON_REFUSALS:
            return NoAccess(_PERSON_REFUSALS[of_person], owner.id)
        return owner, both(of_list, of_person)

    def _report_stranger(self, who: NoAccess, slot: Slot) -> None:
        if slot.insertion != self._reported:
            self._reported = slot.insertion
            technician = who.detail if who.why in _PERSON_REFUSALS.values() else ""
            self._owe("login_failed", technician, slot.reader, who.why.value)

    # --- one try

    def _try(self, pin: Pin, spend_last_try: bool, insertion: int) -> None:
        try:
            refused = self._tried(pin, spend_last_try, insertion)
        finally:
            pin.wipe()
            with self._lock:
                self._entered = None
        self._refused = None if refused is None else (insertion, refused)

    def _tried(self, pin: Pin, spend_last_try: bool, insertion: int) -> Refusal | None:
        slot, at = self._reader.slot(), self._now()
        if slot.insertion != insertion or slot.state is not SlotState.READY:
            return Refusal.CARD_GONE
        who = self._admitted(slot.public_key, at)
        if isinstance(who, NoAccess) or wait_left_s(self._guard, at):
            return None  # the next look says why
        technician, sure = who
        before = self._guard
        self._keep(failed(before, at))
        message = login_message(self._node_code, self._new_challenge())
        proof = self._reader.prove(insertion, pin, message, spend_last_try=spend_last_try)
        refused = _refusal(proof, technician, message)
        if refused is None:
            self._keep(cleared(self._guard))
            self._admit(technician, sure, slot)
        elif refused is Refusal.LAST_TRY:
            self._keep(before)
        else:
            # The wait counts from the refusal, not from when a slow card was asked.
            self._keep(failed(before, self._now()))
            self._owe("login_failed", technician.id, slot.reader, refused.value)
        return refused

    def _admit(self, technician: Technician, sure: Validity, slot: Slot) -> None:
        limit = None if sure is Validity.VALID else Limit.TIME_UNSURE
        self._owe("login", technician.id, slot.reader, limit.value if limit else "")
        if not self._pay_owed() or not self._stored:
            limit = limit or Limit.NOT_RECORDED
        clock = SessionClock.begin(self._now())
        with self._lock:
            self._session = _Session(technician, clock, slot.insertion, slot.reader, limit)
            self._ended_at = None

    def _end(self, session: _Session, why: SessionEnd) -> None:
        self._session = None
        self._shown = LoggedOut(why)
        self._ended_at = self._reader.slot().insertion
        self._owe("logout", session.technician.id, session.reader, why.value)

    # --- memory

    def _keep(self, guard: Guard) -> None:
        if guard != self._guard:
            self._guard = guard
            self._stored = self._store.save(guard)

    def _owe(self, action: str, technician: str, reader: str, cause: str) -> None:
        """Facts hold the badge number, never a name, a PIN or a key."""
        data = {"action": action, "technician": technician, "reader": reader, "cause": cause}
        with self._lock:
            self._owed.append(FactDraft(FactType.TECHNICIAN_ACTED, data))

    def _pay_owed(self) -> bool:
        """Store the facts that wait, in order; False when the ledger would not take one."""
        while True:
            with self._lock:
                if not self._owed:
                    return True
                draft = self._owed[0]
            if isinstance(self._ledger.record(draft), NotRecorded):
                return False
            with self._lock:
                if self._owed and self._owed[0] is draft:
                    self._owed.popleft()


_LIST_REFUSALS = {
    Validity.EXPIRED: Refusal.LIST_EXPIRED,
    Validity.NOT_YET: Refusal.LIST_NOT_YET,
}
_PERSON_REFUSALS = {
    Validity.EXPIRED: Refusal.PERSON_EXPIRED,
    Validity.NOT_YET: Refusal.PERSON_NOT_YET,
}


def _over(session: _Session, slot: Slot, at: Instant) -> SessionEnd | None:
    """Why a session is over now: the card first, then the clock."""
    if slot.state in (SlotState.NO_READER, SlotState.UNKNOWN):
        return SessionEnd.READER_LOST
    if slot.insertion != session.insertion or slot.state is SlotState.NO_CARD:
        return SessionEnd.CARD_OUT
    return session.clock.ended(at)


def _refusal(proof: Proof, technician: Technician, message: bytes) -> Refusal | None:
    """Why the proof is not enough; None when the city's listed key signed the message."""
    match proof:
        case Proved(signature):
            genuine = has_signed(technician.public_key, signature, message)
            return None if genuine else Refusal.NOT_THE_KEY
        case PinWrong():
            return Refusal.WRONG_PIN
        case PinBlocked():
            return Refusal.PIN_BLOCKED
        case LastTry():
            return Refusal.LAST_TRY
        case CardGone():
            return Refusal.CARD_GONE
        case CardTrouble():
            return Refusal.CARD_TROUBLE
