"""A PIV card in a PC/SC reader: `municipio.devices.CardReader` that outlives pcscd and the reader.

One thread watches the readers with a context of its own and opens a new one whenever the old is
dead. What is said to the card runs in `errand`, so a card that hangs never hides its own removal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from hardware.card import protocol
from hardware.card.errand import GONE as CARD_IS_GONE
from hardware.card.errand import Errands, Overdue
from hardware.card.pcsc import (
    COUNTER_SHIFT,
    GONE,
    MUTE,
    PRESENT,
    OpenService,
    PcscCause,
    Service,
    Trouble,
    open_service,
)
from hardware.card.protocol import Looked, Unusable
from hardware.card.status import CardCause, device_status
from municipio.devices import (
    CardGone,
    CardTrouble,
    DeviceState,
    DeviceStatus,
    Pin,
    PinBlocked,
    PinWrong,
    Proof,
    Slot,
    SlotState,
)

BEAT_S = 0.5
SILENCE_S = 3.0
REOPEN_S = 0.3
LOOK_S = 4.0
PROVE_S = 6.0
"""An RSA signature inside a slow card takes a second or two."""
LOOK_AGAIN_S = 0.4
LOOKS_MAX = 4
"""Transient trouble is asked again this often before the card is called bad for good."""
LOOKS_TO_BE_SURE = 2
"""A flipped bit can make a good card look like another kind: even that is asked twice."""

_CAUSES: dict[PcscCause, CardCause] = {
    PcscCause.NO_SERVICE: CardCause.NO_SERVICE,
    PcscCause.NO_READER: CardCause.NO_READER,
    PcscCause.NO_CARD: CardCause.NO_ANSWER,
    PcscCause.TAKEN: CardCause.TAKEN,
    PcscCause.MUTE: CardCause.MUTE,
    PcscCause.FAILED: CardCause.NO_ANSWER,
}
_LASTING = frozenset({CardCause.NOT_PIV, CardCause.NO_KEY, CardCause.BLOCKED})


class PivReader:
    """The first reader whose name contains `reader_name` (empty: any). `close` when the program ends.

    With several readers a card in any of them counts, and the card in use stays the chosen one.
    """

    def __init__(self, reader_name: str = "", open_service: OpenService = open_service) -> None:
        self._name = reader_name
        self._open_service = open_service
        self._errands = Errands(open_service)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._slot = Slot(SlotState.UNKNOWN, CardCause.NO_SERVICE.value)
        self._mark: tuple[str, int] | None = None
        """Reader and event count of the card that is in."""
        self._insertion = 0
        self._looks = 0
        self._look_at = 0.0
        self._beat = time.monotonic()
        self._closing = False
        self._service: Service | None = None
        self._thread = threading.Thread(target=self._run, name="card", daemon=True)
        self._thread.start()

    def slot(self) -> Slot:
        with self._lock:
            if time.monotonic() - self._beat > SILENCE_S:
                return Slot(SlotState.UNKNOWN, CardCause.NO_ANSWER.value)
            return self._slot

    def status(self) -> DeviceStatus:
        if self._closing:
            return DeviceStatus(DeviceState.ABSENT)
        return device_status(self.slot())

    def prove(
        self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
    ) -> Proof:
        slot = self.slot()
        if slot.state is not SlotState.READY or slot.insertion != insertion:
            return CardGone()
        ended = self._errands.run(
            slot.reader,
            lambda: protocol.prove(pin, message, slot.public_key, spend_last_try=spend_last_try),
            PROVE_S,
            reset=True,
        )
        if isinstance(ended, Overdue):
            return CardTrouble(CardCause.NO_ANSWER.value)
        if isinstance(ended, Trouble):
            if ended.cause in CARD_IS_GONE:
                return CardGone()
            return CardTrouble(_CAUSES[ended.cause].value)
        self._count(insertion, ended)
        return ended

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        with self._lock:
            service, hangs = self._service, time.monotonic() - self._beat > 2 * BEAT_S
        if service is not None and not hangs:
            service.interrupt()
        self._thread.join(timeout=10)

    # --- the watching thread

    def _run(self) -> None:
        while not self._closing:
            service = self._open_service()
            if isinstance(service, Trouble):
                self._empty(SlotState.UNKNOWN, CardCause.NO_SERVICE)
            else:
                self._own(service)
                self._watch(service)
                self._own(None)
                service.close()
            self._wake.wait(REOPEN_S)

    def _own(self, service: Service | None) -> None:
        with self._lock:
            self._service = service

    def _watch(self, service: Service) -> None:
        """Until this context is dead or the program ends."""
        known: dict[str, int] = {}
        while not self._closing:
            names = service.readers()
            if isinstance(names, Trouble):
                self._empty(SlotState.UNKNOWN, CardCause.NO_SERVICE)
                return
            chosen = [name for name in names if self._name.lower() in name.lower()]
            if not chosen:
                self._empty(SlotState.NO_READER, CardCause.NO_READER)
                known = {}
                self._wake.wait(BEAT_S)
                continue
            states = service.wait({name: known.get(name, 0) for name in chosen}, BEAT_S)
            if isinstance(states, Trouble):
                if states.cause is not PcscCause.NO_READER:
                    self._empty(SlotState.UNKNOWN, CardCause.NO_SERVICE)
                    return
                states = {}
            known = states
            self._judge(states)

    def _judge(self, states: dict[str, int]) -> None:
        """What the readers hold now becomes the slot; a new card is asked who it is."""
        there = {n: s for n, s in states.items() if s & PRESENT and not s & GONE}
        marks = [(name, state >> COUNTER_SHIFT) for name, state in there.items()]
        if not states:
            self._empty(SlotState.NO_READER, CardCause.NO_READER)
        elif not marks:
            self._empty(SlotState.NO_CARD, None)
        elif self._mark not in marks:
            mute = [m for m in marks if there[m[0]] & MUTE]
            self._inserted(next((m for m in marks if m not in mute), marks[0]), marks[0] in mute)
        else:
            self._beaten()
            self._look_again()

    def _beaten(self) -> None:
        with self._lock:
            self._beat = time.monotonic()

    def _empty(self, state: SlotState, cause: CardCause | None) -> None:
        with self._lock:
            self._beat = time.monotonic()
            self._mark = None
            self._slot = Slot(state, cause.value if cause else "", insertion=self._insertion)

    def _inserted(self, mark: tuple[str, int], mute: bool) -> None:
        with self._lock:
            self._beat = time.monotonic()
            self._mark = mark
            self._insertion += 1
            self._looks = 0
            self._look_at = self._beat
            cause = CardCause.MUTE.value if mute else ""
            self._slot = Slot(SlotState.READING, cause, mark[0], self._insertion)
        self._look_again()

    def _look_again(self) -> None:
        """Start one look at the card, if one is due and none is under way."""
        with self._lock:
            slot = self._slot
            unsettled = slot.state is SlotState.READING or (
                slot.state is SlotState.CARD_ERROR and self._looks < _most_looks(slot.cause)
            )
            if not unsettled or self._errands.is_busy or time.monotonic() < self._look_at:
                return
            self._looks += 1
            self._look_at = time.monotonic() + LOOK_AGAIN_S
        threading.Thread(target=self._look, args=(slot,), name="card-look", daemon=True).start()

    def _look(self, slot: Slot) -> None:
        found = self._errands.run(slot.reader, protocol.look, LOOK_S, reset=False)
        if isinstance(found, Trouble) and found.cause in CARD_IS_GONE and self._looks < LOOKS_MAX:
            return  # either the watcher will see it go, or it was only reset under our hands
        if isinstance(found, Looked):
            seen = replace(
                slot, state=SlotState.READY, cause="",
                tries_left=found.tries_left, public_key=found.public_key,
            )  # fmt: skip
        else:
            cause = _cause(found)
            seen = replace(slot, state=SlotState.CARD_ERROR, cause=cause.value)
        self._change(slot.insertion, lambda _: seen)

    def _count(self, insertion: int, proof: Proof) -> None:
        """Keep the shown PIN counter true after a try."""

        def counted(slot: Slot) -> Slot:
            if isinstance(proof, PinWrong):
                return replace(slot, tries_left=proof.tries_left)
            if isinstance(proof, PinBlocked):
                blocked = CardCause.BLOCKED.value
                return replace(slot, state=SlotState.CARD_ERROR, cause=blocked, tries_left=0)
            return slot

        self._change(insertion, counted)

    def _change(self, insertion: int, change: Callable[[Slot], Slot]) -> None:
        """Say something of a card only while that very card is in."""
        with self._lock:
            if self._mark is not None and self._slot.insertion == insertion:
                self._slot = change(self._slot)


def _most_looks(cause: str) -> float:
    if cause == CardCause.TAKEN:
        return float("inf")
    return LOOKS_TO_BE_SURE if cause in _LASTING else LOOKS_MAX


def _cause(found: Unusable | Trouble | Overdue) -> CardCause:
    if isinstance(found, Unusable):
        return found.cause
    return CardCause.NO_ANSWER if isinstance(found, Overdue) else _CAUSES[found.cause]
