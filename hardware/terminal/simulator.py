"""A card terminal that is not there: it speaks the wire, and a test plays the person and the bank.

Its journal of keys and amounts outlives our driver, as a real terminal's does: the same key asked
twice is one charge. Controls may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hardware.terminal import messages
from hardware.terminal.messages import (
    CancelAsked,
    ChargeAsked,
    ChargeTold,
    ProgressTold,
    QueryAsked,
    Refused,
    Reply,
    StatusAsked,
    StatusTold,
)
from hardware.terminal.wire import Link, Received
from hardware.transport.pty_end import PtyEnd
from municipio.devices import Charge, ChargeState

JOURNAL_MAX = 10_000
_DEMO_LAST4 = "4242"


@dataclass(frozen=True, slots=True)
class _Entry:
    charge: Charge
    reference: str
    asked_at: float
    times_asked: int = 1
    cancel_asked: bool = False


class TerminalSimulator:
    """`mode` "auto": the card is read and answered after `think_s`; "hold": it waits to be told.

    Until then a charge is `at_terminal`; after `expire_s` it is `expired`.
    """

    def __init__(self, *, think_s: float = 0.8, expire_s: float = 120.0) -> None:
        self.mode: Literal["auto", "hold"] = "auto"
        self.online = True
        self.think_s = think_s
        self.expire_s = expire_s
        self._next = ChargeState.APPROVED
        self._journal: dict[str, _Entry] = {}
        self._silent = False
        self._lock = threading.RLock()
        self._link = Link()
        self._end = PtyEnd(self._receive, self._pass_time, idle_s=0.02)

    def open(self) -> str:
        return self._end.open()

    def link(self, path: Path) -> None:
        self._end.link(path)

    def close(self) -> None:
        self._end.close()

    def hold(self) -> None:
        """From now on a charge stays at the terminal until it is told."""
        self.mode = "hold"

    def auto(self) -> None:
        self.mode, self._next = "auto", ChargeState.APPROVED

    def approve(self, key: str | None = None) -> None:
        """The open charge, or `key` however late: a bank's late approval is an approval."""
        self._decide(ChargeState.APPROVED, key)

    def decline(self, key: str | None = None) -> None:
        """The open charge; without one, the next."""
        self._decide(ChargeState.DECLINED, key)

    def cancel(self, key: str | None = None) -> None:
        """The person presses the red button; without an open charge, on the next."""
        self._decide(ChargeState.CANCELLED, key)

    def expire(self, key: str | None = None) -> None:
        self._decide(ChargeState.EXPIRED, key)

    def silence(self) -> None:
        """Hears and acts on nothing, answers nothing; a charge under way goes on inside."""
        self._silent = True

    def speak(self) -> None:
        self._silent = False

    def unplug(self) -> None:
        self._end.unplug()

    def replug(self) -> None:
        with self._lock:
            self._link.reset()
        self._end.replug()

    def charges(self) -> list[dict[str, object]]:
        """The journal, oldest first: key, amount_centavos, state, reference, times_asked..."""
        with self._lock:
            return [
                {
                    "key": e.charge.key,
                    "amount_centavos": e.charge.amount_centavos,
                    "state": e.charge.state.value,
                    "authorization": e.charge.authorization,
                    "reference": e.reference,
                    "times_asked": e.times_asked,
                    "cancel_asked": e.cancel_asked,
                }
                for e in self._journal.values()
            ]

    def state(self) -> dict[str, object]:
        with self._lock:
            return {
                "mode": self.mode,
                "online": self.online,
                "silent": self._silent,
                "plugged": self._end.is_plugged,
                "charges": self.charges(),
            }

    def _decide(self, state: ChargeState, key: str | None) -> None:
        with self._lock:
            if key is None:
                key = self._open_key()
            if key is None:
                self._next = state
                return
            entry = self._journal.get(key)
            if entry is None:
                raise KeyError(f"the terminal never saw the key {key}")
            self._settle(entry, state)

    def _open_key(self) -> str | None:
        open_keys = (
            k for k, e in self._journal.items() if e.charge.state is ChargeState.AT_TERMINAL
        )
        return next(open_keys, None)

    def _settle(self, entry: _Entry, state: ChargeState) -> None:
        approved = state is ChargeState.APPROVED
        number = list(self._journal).index(entry.charge.key) + 1
        charge = replace(
            entry.charge,
            state=state,
            authorization=f"{123455 + number:06d}" if approved else "",
            card_last4=_DEMO_LAST4 if approved else "",
            message="",
        )
        self._journal[charge.key] = replace(entry, charge=charge)
        words = {ChargeState.APPROVED: "APROBADA", ChargeState.DECLINED: "DECLINADA"}
        self._tell(ProgressTold(charge.key, words.get(state, "CANCELADA")))
        self._tell(ChargeTold(charge))

    def _receive(self, data: bytes) -> None:
        with self._lock:
            if self._silent:
                return
            for event in self._link.feed(data, time.monotonic()):
                if isinstance(event, Received):
                    self._obey(event.payload)
            self._flush()

    def _obey(self, payload: bytes) -> None:
        match messages.decode(payload):
            case StatusAsked(key):
                self._tell(StatusTold(key, self.online, self._open_key() is not None))
            case QueryAsked(key):
                entry = self._journal.get(key)
                unseen = Charge(key, ChargeState.IDLE)
                self._tell(ChargeTold(entry.charge if entry is not None else unseen))
            case ChargeAsked() as asked:
                self._charge(asked)
            case CancelAsked(key):
                self._cancel_asked(key)

    def _charge(self, asked: ChargeAsked) -> None:
        known = self._journal.get(asked.key)
        if known is not None:
            if known.charge.amount_centavos != asked.amount_centavos:
                self._tell(Refused(asked.key, "key_reused"))
                return
            self._journal[asked.key] = replace(known, times_asked=known.times_asked + 1)
            self._tell(ChargeTold(known.charge))
        elif not self.online:
            self._tell(Refused(asked.key, "offline"))
        elif self._open_key() is not None or len(self._journal) >= JOURNAL_MAX:
            self._tell(Refused(asked.key, "busy"))
        else:
            charge = Charge(asked.key, ChargeState.AT_TERMINAL, asked.amount_centavos)
            self._journal[asked.key] = _Entry(charge, asked.reference, time.monotonic())
            self._tell(ChargeTold(charge))
            self._tell(ProgressTold(asked.key, "ACERQUE SU TARJETA"))

    def _cancel_asked(self, key: str) -> None:
        entry = self._journal.get(key)
        if entry is None:
            self._tell(ChargeTold(Charge(key, ChargeState.IDLE)))
            return
        entry = replace(entry, cancel_asked=True)
        self._journal[key] = entry
        if entry.charge.state is ChargeState.AT_TERMINAL:
            self._settle(entry, ChargeState.CANCELLED)
        else:
            self._tell(ChargeTold(entry.charge))

    def _pass_time(self) -> None:
        with self._lock:
            key = self._open_key()
            if key is not None:
                self._work_on(self._journal[key])
            self._flush()

    def _work_on(self, entry: _Entry) -> None:
        waited_s = time.monotonic() - entry.asked_at
        if waited_s >= self.expire_s:
            self._settle(entry, ChargeState.EXPIRED)
        elif self.mode == "auto" and waited_s >= self.think_s:
            decided, self._next = self._next, ChargeState.APPROVED
            self._settle(entry, decided)

    def _tell(self, reply: Reply) -> None:
        if not self._silent:
            self._link.queue(messages.encode(reply))

    def _flush(self) -> None:
        if self._silent:
            return
        out, _ = self._link.tick(time.monotonic())
        if out:
            self._end.send(out)
