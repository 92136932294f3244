"""What the node believes about each charge: one table, fed by what the terminal says. Sans-IO.

Every transition lives in `TRANSITIONS`; this file knows no port and no thread. Two rules that no
row breaks: an approval is never taken back by a later word, and a late approval always
counts, because the money moved.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from enum import StrEnum

from municipio.devices import Charge, ChargeState

_S = ChargeState
CHARGES_MAX = 64


class Word(StrEnum):
    """What can happen to a charge."""

    WAITING = "waiting"
    """Accepted; the terminal has not shown it to anybody yet."""
    AT_TERMINAL = "at_terminal"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NEVER_SEEN = "never_seen"
    """The terminal answers that it does not know the key."""
    REFUSED = "refused"
    """The terminal would not start it."""
    NEVER_SENT = "never_sent"
    """We gave up before the first byte left."""
    SILENCE = "silence"


OPEN = frozenset({_S.REQUESTED, _S.AT_TERMINAL, _S.UNKNOWN})
FINAL = frozenset({_S.APPROVED, _S.DECLINED, _S.CANCELLED, _S.EXPIRED})

TRANSITIONS: dict[tuple[ChargeState, Word], ChargeState] = {
    **{(state, Word.APPROVED): _S.APPROVED for state in ChargeState},
    **{(state, Word.DECLINED): _S.DECLINED for state in OPEN},
    **{(state, Word.CANCELLED): _S.CANCELLED for state in OPEN},
    **{(state, Word.EXPIRED): _S.EXPIRED for state in OPEN},
    **{(state, Word.AT_TERMINAL): _S.AT_TERMINAL for state in OPEN},
    **{(state, Word.SILENCE): _S.UNKNOWN for state in OPEN},
    (_S.UNKNOWN, Word.WAITING): _S.REQUESTED,
    (_S.REQUESTED, Word.REFUSED): _S.DECLINED,
    (_S.REQUESTED, Word.NEVER_SENT): _S.CANCELLED,
    (_S.UNKNOWN, Word.NEVER_SEEN): _S.IDLE,
    (_S.AT_TERMINAL, Word.NEVER_SEEN): _S.UNKNOWN,
}
"""A pair that is not here changes nothing."""

_WORDS = {
    _S.IDLE: Word.NEVER_SEEN,
    _S.REQUESTED: Word.WAITING,
    _S.AT_TERMINAL: Word.AT_TERMINAL,
    _S.APPROVED: Word.APPROVED,
    _S.DECLINED: Word.DECLINED,
    _S.CANCELLED: Word.CANCELLED,
    _S.EXPIRED: Word.EXPIRED,
    _S.UNKNOWN: Word.SILENCE,
}


def after(state: ChargeState, word: Word) -> ChargeState:
    return TRANSITIONS.get((state, word), state)


class ChargeBook:
    """The charges this program asked for or asked about, newest last, at most `CHARGES_MAX`."""

    def __init__(self) -> None:
        self._charges: OrderedDict[str, Charge] = OrderedDict()
        self._seen_there: set[str] = set()
        """Keys that the terminal once had: if it denies them later it forgot, and proves nothing."""

    def get(self, key: str) -> Charge | None:
        return self._charges.get(key)

    def open_keys(self) -> list[str]:
        return [c.key for c in self._charges.values() if c.state in OPEN]

    def start(self, key: str, amount_centavos: int) -> bool:
        """False when the key is known already: the same key is the same charge."""
        known = self._charges.get(key)
        if known is not None and known.state is not _S.IDLE:
            return False
        self._put(Charge(key, _S.REQUESTED, amount_centavos))
        return True

    def ask_about(self, key: str) -> None:
        """A key from before this program started: unknown until the terminal answers."""
        if key not in self._charges:
            self._put(Charge(key, _S.UNKNOWN))

    def hear(self, told: Charge) -> None:
        """What the terminal says about a key. A key that we never sent or asked is ignored."""
        known = self._charges.get(told.key)
        if known is None:
            return
        word = _WORDS[told.state]
        if word is Word.NEVER_SEEN and told.key in self._seen_there:
            word = Word.SILENCE
        state = after(known.state, word)
        if state is known.state and state in FINAL:
            return
        amount = told.amount_centavos or known.amount_centavos
        message = told.message or (known.message if state in OPEN else "")
        self._put(replace(told, state=state, amount_centavos=amount, message=message))

    def say(self, key: str, word: Word, message: str = "") -> None:
        known = self._charges.get(key)
        if known is not None:
            self._put(replace(known, state=after(known.state, word), message=message))

    def note(self, key: str, message: str) -> None:
        """A progress text: it reached the terminal, and a person is standing there."""
        known = self._charges.get(key)
        if known is not None and known.state in OPEN:
            self.say(key, Word.AT_TERMINAL, message)

    def _put(self, charge: Charge) -> None:
        if charge.state is _S.AT_TERMINAL:
            self._seen_there.add(charge.key)
        self._charges[charge.key] = charge
        self._charges.move_to_end(charge.key)
        while len(self._charges) > CHARGES_MAX:
            oldest = next((k for k, c in self._charges.items() if c.state not in OPEN), None)
            gone = self._charges.pop(oldest or next(iter(self._charges)))
            self._seen_there.discard(gone.key)
