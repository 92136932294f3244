"""A card terminal on a serial port: `municipio.devices.CardTerminal` over the wire of `messages`.

One thread owns the port and drives `talk`. Calls return at once, except `query`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from hardware.terminal.causes import TerminalCause
from hardware.terminal.talk import SEND_BY_S, SILENCE_S, TerminalTalk
from hardware.transport.serial_port import PortCause, PortProblem, SerialPort, open_port
from municipio.devices import Charge, ChargeState, DeviceState, DeviceStatus

__all__ = ["SEND_BY_S", "SILENCE_S", "EcrTerminal", "TerminalCause"]

REOPEN_S = 0.3
READ_S = 0.03


class EcrTerminal:
    """The terminal at `port` (a path). Call `close` when the program ends."""

    def __init__(self, port: str, baud: int) -> None:
        self._path = port
        self._baud = baud
        self._talk = TerminalTalk(time.monotonic())
        self._port: SerialPort | None = None
        self._change = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        with self._change:
            return self._talk.status(time.monotonic())

    def start(self, key: str, amount_centavos: int, reference: str) -> None:
        """Raises ValueError for a key, amount or reference that may not be sent."""
        with self._change:
            if not self._closing:
                self._talk.start(key, amount_centavos, reference, time.monotonic())

    def charge(self, key: str) -> Charge:
        with self._change:
            return self._talk.charge(key)

    def query(self, key: str, timeout_s: float) -> Charge:
        """IDLE when the terminal answers that it never saw this key; UNKNOWN without an answer."""
        deadline = time.monotonic() + timeout_s
        with self._change:
            before = self._talk.ask(key)
            while self._talk.answers(key) == before and not self._closing:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    break
                self._change.wait(left_s)
            known = self._talk.charge(key)
            heard = self._talk.answers(key) != before
            return known if heard else replace(known, state=ChargeState.UNKNOWN)

    def cancel(self, key: str) -> None:
        with self._change:
            self._talk.cancel(key)

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
                self._turn()
            with self._change:
                self._talk.check_times(time.monotonic())
        if self._port is not None:
            self._port.close()

    def _wait(self, seconds: float) -> None:
        with self._change:
            if not self._closing:
                self._change.wait(seconds)

    def _open(self) -> bool:
        opened = open_port(self._path, self._baud)
        with self._change:
            if isinstance(opened, PortProblem):
                missing = opened.cause in (PortCause.MISSING, PortCause.GONE)
                self._talk.unplugged(DeviceState.ABSENT if missing else DeviceState.UNKNOWN)
                return False
            self._talk.plugged(time.monotonic())
        self._port = opened
        return True

    def _turn(self) -> None:
        """One step: send what is due, listen."""
        assert self._port is not None, "a turn needs a port"
        with self._change:
            out = self._talk.tick(time.monotonic())
        problem = self._port.write(out) if out else None
        heard = self._port.read(READ_S) if problem is None else problem
        if isinstance(heard, PortProblem):
            self._port.close()
            self._port = None
            with self._change:
                self._talk.unplugged()
            return
        with self._change:
            if self._talk.feed(heard, time.monotonic()):
                self._change.notify_all()
