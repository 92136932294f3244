"""The node's side of the conversation with a serial terminal. Sans-IO: time and bytes are given.

It greets the terminal at least once a second, sends what callers ask, and keeps asking about every
charge that is still open. `driver` owns the port and the thread.
"""

from __future__ import annotations

from hardware.terminal import messages
from hardware.terminal.causes import TerminalCause
from hardware.terminal.messages import (
    CancelAsked,
    ChargeAsked,
    ChargeTold,
    ProgressTold,
    QueryAsked,
    Refused,
    StatusAsked,
    StatusTold,
)
from hardware.terminal.protocol import ChargeBook, Word
from hardware.terminal.wire import Delivered, Link, LinkEvent, Received, Undelivered
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus

HEARTBEAT_S = 0.8
QUERY_EVERY_S = 0.4
SILENCE_S = 3.0
SEND_BY_S = 3.0
"""A charge that could not leave in this time never leaves: the person has walked on."""
ASKS_MAX = 64


class TerminalTalk:
    """Not thread-safe. `now` is any clock in seconds that never goes back."""

    def __init__(self, now: float) -> None:
        self._link = Link()
        self._book = ChargeBook()
        self._state = DeviceStatus(DeviceState.STARTING)
        self._heard_at = now
        self._greeted_at = now - HEARTBEAT_S
        self._asked_at = now - QUERY_EVERY_S
        self._to_send: dict[str, tuple[float, ChargeAsked]] = {}
        self._to_ask: list[QueryAsked | CancelAsked] = []
        self._answers: dict[str, int] = {}
        self._delivered: set[str] = set()

    # --- what the node asks

    def status(self, now: float) -> DeviceStatus:
        absent = self._state.state is DeviceState.ABSENT
        if not absent and now - self._heard_at > SILENCE_S:
            return DeviceStatus(DeviceState.UNKNOWN, TerminalCause.NO_ANSWER.value)
        return self._state

    def start(self, key: str, amount_centavos: int, reference: str, now: float) -> None:
        """Raises ValueError for a key, amount or reference that may not be sent."""
        asked = ChargeAsked(key, amount_centavos, reference)
        messages.encode(asked)
        if self._book.start(key, amount_centavos):
            self._to_send[key] = (now + SEND_BY_S, asked)

    def charge(self, key: str) -> Charge:
        self._book.ask_about(key)
        return self._book.get(key) or Charge(key, ChargeState.UNKNOWN)

    def ask(self, key: str) -> int:
        """Ask the terminal about `key`; compare `answers` later with the count returned."""
        asked = QueryAsked(key)
        messages.encode(asked)
        self._book.ask_about(key)
        self._say_soon(asked)
        return self.answers(key)

    def answers(self, key: str) -> int:
        return self._answers.get(key, 0)

    def cancel(self, key: str) -> None:
        asked = CancelAsked(key)
        messages.encode(asked)
        if self._to_send.pop(key, None) is not None:
            self._book.say(key, Word.NEVER_SENT)
        else:
            self._say_soon(asked)

    # --- what happens to the cable

    def plugged(self, now: float) -> None:
        self._link.reset()
        self._state = DeviceStatus(DeviceState.STARTING)
        self._greeted_at = now - HEARTBEAT_S

    def unplugged(self, state: DeviceState = DeviceState.ABSENT) -> None:
        """The port is gone, or cannot be had; what was under way is in doubt."""
        self._state = DeviceStatus(state, TerminalCause.NO_ANSWER.value)
        for key in self._book.open_keys():
            if key not in self._to_send:
                self._book.say(key, Word.SILENCE)

    def feed(self, data: bytes, now: float) -> bool:
        """Bytes from the terminal, whole or in pieces or junk. True when something was understood."""
        return self._happen(self._link.feed(data, now), now)

    def tick(self, now: float) -> bytes:
        """Bytes for the terminal now."""
        self._queue_due(now)
        out, events = self._link.tick(now)
        self._happen(events, now)
        return out

    def check_times(self, now: float) -> None:
        for key, (send_by, _) in list(self._to_send.items()):
            if now > send_by:
                del self._to_send[key]
                self._book.say(key, Word.NEVER_SENT, TerminalCause.NO_ANSWER.value)
        if now - self._heard_at > SILENCE_S:
            for key in self._book.open_keys():
                if key not in self._to_send:
                    self._book.say(key, Word.SILENCE)

    # --- inside

    def _say_soon(self, asked: QueryAsked | CancelAsked) -> None:
        if asked not in self._to_ask and len(self._to_ask) < ASKS_MAX:
            self._to_ask.append(asked)

    def _queue_due(self, now: float) -> None:
        for key, (_, asked) in list(self._to_send.items()):
            if self._link.queue(messages.encode(asked)):
                del self._to_send[key]
        while self._to_ask and self._link.queue(messages.encode(self._to_ask[0])):
            self._to_ask.pop(0)
        if not self._link.is_idle:
            return
        if now - self._greeted_at >= HEARTBEAT_S:
            self._greeted_at = now
            open_keys = self._book.open_keys()
            key = open_keys[-1] if open_keys else messages.NO_KEY
            self._link.queue(messages.encode(StatusAsked(key)))
        elif now - self._asked_at >= QUERY_EVERY_S:
            self._asked_at = now
            for key in self._book.open_keys()[-8:]:
                self._link.queue(messages.encode(QueryAsked(key)))

    def _happen(self, events: list[LinkEvent], now: float) -> bool:
        for event in events:
            match event:
                case Received(payload):
                    self._heard_at = now
                    self._understand(payload)
                case Undelivered(payload):
                    asked = messages.decode(payload)
                    if isinstance(asked, ChargeAsked):
                        self._book.say(asked.key, Word.SILENCE)
                case Delivered(payload):
                    asked = messages.decode(payload)
                    if isinstance(asked, ChargeAsked):
                        self._delivered.add(asked.key)
        return bool(events)

    def _understand(self, payload: bytes) -> None:
        match messages.decode(payload):
            case StatusTold() as told:
                self._state = _device_status(told)
            case ChargeTold(charge):
                self._hear(charge)
            case ProgressTold(key, message):
                self._book.note(key, message)
            case Refused(key, cause):
                self._book.say(key, Word.REFUSED, cause)

    def _hear(self, charge: Charge) -> None:
        if charge.state is ChargeState.IDLE and charge.key in self._delivered:
            # It acknowledged the charge, or noise looked like it did, and now denies the key.
            known = self._book.get(charge.key)
            if known is not None and known.state is ChargeState.REQUESTED:
                self._book.say(charge.key, Word.SILENCE)
        was_open = charge.key in self._book.open_keys()
        self._book.hear(charge)
        if was_open and charge.key not in self._book.open_keys():
            # "Busy" was said of this charge: ask again at once, not at the next heartbeat.
            self._greeted_at = -HEARTBEAT_S
        if self._book.get(charge.key) is not None:
            self._answers[charge.key] = self._answers.get(charge.key, 0) + 1
        self._prune()

    def _prune(self) -> None:
        for key in [k for k in self._answers if self._book.get(k) is None]:
            del self._answers[key]
        self._delivered = {k for k in self._delivered if self._book.get(k) is not None}


def _device_status(told: StatusTold) -> DeviceStatus:
    if not told.online:
        return DeviceStatus(DeviceState.ATTENTION, TerminalCause.OFFLINE.value)
    if told.busy:
        return DeviceStatus(DeviceState.BUSY, TerminalCause.BUSY.value)
    return DeviceStatus(DeviceState.READY)
