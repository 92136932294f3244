"""A card terminal on a serial port: `municipio.devices.CardTerminal` over the wire of `messages`.

One thread owns the port: it greets the terminal at least once a second, sends what callers ask,
and keeps asking about every charge that is still open. Calls return at once, except `query`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from enum import StrEnum

from hardware.terminal import messages
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
from hardware.terminal.wire import Link, LinkEvent, Received, Undelivered
from hardware.transport.serial_port import PortCause, PortProblem, SerialPort, open_port
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus

HEARTBEAT_S = 0.8
QUERY_EVERY_S = 0.4
SILENCE_S = 3.0
REOPEN_S = 0.3
READ_S = 0.03
SEND_BY_S = 3.0
"""A charge that could not leave in this time never leaves: the person has walked on."""


class TerminalCause(StrEnum):
    NO_ANSWER = "no_answer"
    OFFLINE = "offline"
    """The terminal works and has no way to its bank."""
    BUSY = "busy"


class EcrTerminal:
    """The terminal at `port` (a path). Call `close` when the program ends."""

    def __init__(self, port: str, baud: int) -> None:
        self._path = port
        self._baud = baud
        self._link = Link()
        self._book = ChargeBook()
        self._port: SerialPort | None = None
        self._state = DeviceStatus(DeviceState.STARTING)
        self._heard_at = time.monotonic()
        self._greeted_at = 0.0
        self._asked_at = 0.0
        self._to_send: dict[str, tuple[float, ChargeAsked]] = {}
        self._to_ask: list[QueryAsked | CancelAsked] = []
        self._answers: dict[str, int] = {}
        self._change = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        with self._change:
            absent = self._state.state is DeviceState.ABSENT
            if not absent and time.monotonic() - self._heard_at > SILENCE_S:
                return DeviceStatus(DeviceState.UNKNOWN, TerminalCause.NO_ANSWER.value)
            return self._state

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        """Raises ValueError for a key, amount or reference that may not be sent."""
        asked = ChargeAsked(key, amount_centavos, reference)
        messages.encode(asked)
        with self._change:
            if not self._closing and self._book.start(key, amount_centavos):
                self._to_send[key] = (time.monotonic() + SEND_BY_S, asked)

    def charge(self, key: str) -> Charge:
        with self._change:
            known = self._book.get(key)
            if known is None:
                self._book.ask_about(key)
            return known or Charge(key, ChargeState.UNKNOWN)

    def query(self, key: str, timeout_s: float) -> Charge:
        """IDLE when the terminal answers that it never saw this key; UNKNOWN without an answer."""
        asked = QueryAsked(key)
        messages.encode(asked)
        deadline = time.monotonic() + timeout_s
        with self._change:
            self._book.ask_about(key)
            self._to_ask.append(asked)
            before = self._answers.get(key, 0)
            while self._answers.get(key, 0) == before and not self._closing:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    break
                self._change.wait(left_s)
            known = self._book.get(key) or Charge(key, ChargeState.UNKNOWN)
            heard = self._answers.get(key, 0) != before
            return known if heard else replace(known, state=ChargeState.UNKNOWN)

    def cancel(self, key: str) -> None:
        asked = CancelAsked(key)
        messages.encode(asked)
        with self._change:
            if self._to_send.pop(key, None) is not None:
                self._book.say(key, Word.NEVER_SENT)
            else:
                self._to_ask.append(asked)

    def close(self) -> None:
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closing:
            if self._port is None and not self._open():
                self._wait(REOPEN_S)
            else:
                self._turn(time.monotonic())
            self._check_times(time.monotonic())
        if self._port is not None:
            self._port.close()

    def _wait(self, seconds: float) -> None:
        with self._change:
            if not self._closing:
                self._change.wait(seconds)

    def _open(self) -> bool:
        opened = open_port(self._path, self._baud)
        if isinstance(opened, PortProblem):
            missing = opened.cause in (PortCause.MISSING, PortCause.GONE)
            state = DeviceState.ABSENT if missing else DeviceState.UNKNOWN
            with self._change:
                self._state = DeviceStatus(state, TerminalCause.NO_ANSWER.value)
            return False
        self._port = opened
        self._link.reset()
        with self._change:
            self._state = DeviceStatus(DeviceState.STARTING)
            self._greeted_at = 0.0
        return True

    def _turn(self, now: float) -> None:
        """One step: queue what is due, send, listen."""
        assert self._port is not None, "a turn needs a port"
        with self._change:
            self._queue_due(now)
        out, events = self._link.tick(now)
        problem = self._port.write(out) if out else None
        heard = self._port.read(READ_S) if problem is None else problem
        if isinstance(heard, PortProblem):
            self._lost()
            return
        events += self._link.feed(heard, time.monotonic())
        with self._change:
            for event in events:
                self._happened(event)
            if events:
                self._change.notify_all()

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

    def _happened(self, event: LinkEvent) -> None:
        if isinstance(event, Undelivered):
            asked = messages.decode(event.payload)
            if isinstance(asked, ChargeAsked):
                self._book.say(asked.key, Word.SILENCE)
            return
        if not isinstance(event, Received):
            return
        self._heard_at = time.monotonic()
        match messages.decode(event.payload):
            case StatusTold() as told:
                self._state = _device_status(told)
            case ChargeTold(charge):
                self._book.hear(charge)
                if self._book.get(charge.key) is not None:
                    self._answers[charge.key] = self._answers.get(charge.key, 0) + 1
                self._prune()
            case ProgressTold(key, message):
                self._book.note(key, message)
            case Refused(key, cause):
                self._book.say(key, Word.REFUSED, cause)

    def _prune(self) -> None:
        for key in [k for k in self._answers if self._book.get(k) is None]:
            del self._answers[key]

    def _lost(self) -> None:
        assert self._port is not None, "only an open port can be lost"
        self._port.close()
        self._port = None
        with self._change:
            self._state = DeviceStatus(DeviceState.ABSENT, TerminalCause.NO_ANSWER.value)
            waiting = set(self._to_send)
            for key in self._book.open_keys():
                if key not in waiting:
                    self._book.say(key, Word.SILENCE)

    def _check_times(self, now: float) -> None:
        with self._change:
            for key, (send_by, _) in list(self._to_send.items()):
                if now > send_by:
                    del self._to_send[key]
                    self._book.say(key, Word.NEVER_SENT, TerminalCause.NO_ANSWER.value)
            if now - self._heard_at > SILENCE_S:
                for key in self._book.open_keys():
                    if key not in self._to_send:
                        self._book.say(key, Word.SILENCE)


def _device_status(told: StatusTold) -> DeviceStatus:
    if not told.online:
        return DeviceStatus(DeviceState.ATTENTION, TerminalCause.OFFLINE.value)
    if told.busy:
        return DeviceStatus(DeviceState.BUSY, TerminalCause.BUSY.value)
    return DeviceStatus(DeviceState.READY)
