"""What stands at the far end of the serial cable: it answers the wire, and remembers every key.

Its clock and its way out are given, so that it runs in a thread behind a pty or in a simulation
whose time is a number. Its journal outlives our driver, as a real terminal's does, and in a file
its own death too: the same key asked twice is one charge. Controls may be called from any thread.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
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


class FarTerminal:
    """`mode` "auto": the card is read and answered after `think_s`; "hold": it waits to be told.

    Until then a charge is `at_terminal`; after `expire_s` it is `expired`.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        now: Callable[[], float],
        *,
        think_s: float = 0.8,
        expire_s: float = 120.0,
        journal: Path | None = None,
    ) -> None:
        self.mode: Literal["auto", "hold"] = "auto"
        self.online = True
        self.think_s = think_s
        self.expire_s = expire_s
        self._next = ChargeState.APPROVED
        self._send = send
        self._now = now
        self._file = journal
        self._journal: dict[str, _Entry] = _load(journal, now()) if journal else {}
        self._silent = False
        self._lock = threading.RLock()
        self._link = Link()

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

    def new_cable(self) -> None:
        """Nothing half heard or half said is left."""
        with self._lock:
            self._link.reset()

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
        self._put(replace(entry, charge=charge))
        words = {ChargeState.APPROVED: "APROBADA", ChargeState.DECLINED: "DECLINADA"}
        self._tell(ProgressTold(charge.key, words.get(state, "CANCELADA")))
        self._tell(ChargeTold(charge))

    def receive(self, data: bytes) -> None:
        """Bytes from the node, whatever they are."""
        with self._lock:
            if self._silent:
                return
            for event in self._link.feed(data, self._now()):
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
            self._put(replace(known, times_asked=known.times_asked + 1))
            self._tell(ChargeTold(known.charge))
        elif not self.online:
            self._tell(Refused(asked.key, "offline"))
        elif self._open_key() is not None or len(self._journal) >= JOURNAL_MAX:
            self._tell(Refused(asked.key, "busy"))
        else:
            charge = Charge(asked.key, ChargeState.AT_TERMINAL, asked.amount_centavos)
            self._put(_Entry(charge, asked.reference, self._now()))
            self._tell(ChargeTold(charge))
            self._tell(ProgressTold(asked.key, "ACERQUE SU TARJETA"))

    def _cancel_asked(self, key: str) -> None:
        entry = self._journal.get(key)
        if entry is None:
            self._tell(ChargeTold(Charge(key, ChargeState.IDLE)))
            return
        entry = replace(entry, cancel_asked=True)
        self._put(entry)
        if entry.charge.state is ChargeState.AT_TERMINAL:
            self._settle(entry, ChargeState.CANCELLED)
        else:
            self._tell(ChargeTold(entry.charge))

    def pass_time(self) -> None:
        """The person, the bank and the wire do what is due."""
        with self._lock:
            key = self._open_key()
            if key is not None:
                self._work_on(self._journal[key])
            self._flush()

    def _work_on(self, entry: _Entry) -> None:
        waited_s = self._now() - entry.asked_at
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
        out, _ = self._link.tick(self._now())
        if out:
            self._send(out)

    def _put(self, entry: _Entry) -> None:
        self._journal[entry.charge.key] = entry
        if self._file is not None:
            _append(self._file, entry)


def _append(path: Path, entry: _Entry) -> None:
    """On the disk before the wire: what the bank did outlives whoever simulates it."""
    charge = {**asdict(entry.charge), "state": entry.charge.state.value}
    kept = {"charge": charge, "reference": entry.reference, "times_asked": entry.times_asked}
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps({**kept, "cancel_asked": entry.cancel_asked}))
        file.flush()
        os.fsync(file.fileno())


def _load(path: Path, now: float) -> dict[str, _Entry]:
    """The newest line of each key; a line torn by a death was never answered and is dropped."""
    journal: dict[str, _Entry] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        try:
            kept = json.loads(line)
        except ValueError:
            continue
        state = ChargeState(kept["charge"].pop("state"))
        charge = Charge(state=state, **kept["charge"])
        journal[charge.key] = _Entry(
            charge, kept["reference"], now, kept["times_asked"], kept["cancel_asked"]
        )
    return journal
