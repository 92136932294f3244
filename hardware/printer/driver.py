"""A receipt printer on a serial port: `municipio.devices.Printer` over real bytes.

One thread owns the port. It asks the printer how it is at least once a second, prints one paper at
a time, and opens the port again whenever the device comes back. Nothing here waits for ever.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from hardware.printer import commands, status
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import Profile
from hardware.printer.protocol import PrintJob, StatusRound
from hardware.printer.status import Cause
from hardware.transport.serial_port import PortCause, PortProblem, SerialPort, open_port
from municipio.devices import DeviceState, DeviceStatus, PrintResult, PrintVerdict
from municipio.receipts import Paper

HEARTBEAT_S = 0.8
SILENCE_S = 3.0
REOPEN_S = 0.5
READ_S = 0.02
QUEUE_MAX = 8
"""Papers waiting; a kiosk has one citizen, so more means that somebody loops."""
OWED_MAX = 4
FILL_EVERY_S = 5.0


class _Ticket:
    """One caller's wait for a verdict."""

    def __init__(self, rendered: bytes) -> None:
        self.rendered = rendered
        self.result = PrintResult(PrintVerdict.FAILED, Cause.NO_ANSWER.value)
        self.done = threading.Event()


class SerialPrinter:
    """The printer at `port` (a path). `start` is implied; call `close` when the program ends."""

    def __init__(self, port: str, baud: int, profile: Profile) -> None:
        self._path = port
        self._baud = baud
        self._profile = profile
        self._status = DeviceStatus(DeviceState.STARTING)
        self._heard_at = time.monotonic()
        self._tickets: deque[_Ticket] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._owed = 0
        self._filled_at = 0.0
        self._port: SerialPort | None = None
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        """Newest known state; UNKNOWN when nothing was heard for `SILENCE_S`."""
        with self._wake:
            newest = self._status
            silent_s = time.monotonic() - self._heard_at
        if silent_s > SILENCE_S and newest.state is not DeviceState.ABSENT:
            return DeviceStatus(DeviceState.UNKNOWN, Cause.NO_ANSWER.value)
        return newest

    def render(self, paper: Paper) -> bytes:
        return render_lines(paper, self._profile)

    def print_rendered(self, rendered: bytes) -> PrintResult:
        """Blocks until a verdict (normally 1-4 s, bounded always); not for a screen's thread."""
        ticket = _Ticket(rendered)
        with self._wake:
            if self._closing or len(self._tickets) >= QUEUE_MAX:
                return ticket.result
            self._tickets.append(ticket)
            self._wake.notify()
        ticket.done.wait()
        return ticket.result

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            while not self._closing:
                if self._port is None and not self._open():
                    self._refuse_waiting()
                    self._sleep(REOPEN_S)
                    continue
                ticket = self._next_ticket()
                if ticket is not None:
                    self._print(ticket)
                self._heartbeat()
                if not self._tickets:
                    self._sleep(HEARTBEAT_S)
        finally:
            self._closing = True
            self._refuse_waiting()
            if self._port is not None:
                self._port.close()

    def _open(self) -> bool:
        opened = open_port(self._path, self._baud)
        if isinstance(opened, PortProblem):
            absent = opened.cause in (PortCause.MISSING, PortCause.GONE)
            state = DeviceState.ABSENT if absent else DeviceState.UNKNOWN
            self._report(DeviceStatus(state, Cause.NO_ANSWER.value), heard=False)
            return False
        self._port = opened
        return True

    def _next_ticket(self) -> _Ticket | None:
        with self._wake:
            return self._tickets.popleft() if self._tickets else None

    def _refuse_waiting(self) -> None:
        """Without a port nothing can have been printed: those who wait learn it at once."""
        while (ticket := self._next_ticket()) is not None:
            ticket.done.set()

    def _sleep(self, seconds: float) -> None:
        with self._wake:
            if not self._tickets and not self._closing:
                self._wake.wait(seconds)

    def _heartbeat(self) -> None:
        talk = StatusRound()
        while talk.result is None and self._port is not None and not self._closing:
            problem = self._exchange(talk)
            if problem is not None:
                self._lost(problem)
                return
        if talk.result is not None:
            self._fill_after_silence(talk)
            self._report(status.device_status(talk.result), heard=talk.heard)

    def _fill_after_silence(self, talk: StatusRound) -> None:
        """Silence may be a printer that still waits for the rest of somebody's broken command."""
        now = time.monotonic()
        if not talk.heard and self._port is not None and now - self._filled_at > FILL_EVERY_S:
            self._filled_at = now
            problem = self._port.write(commands.FILL)
            if problem is not None:
                self._lost(problem)

    def _print(self, ticket: _Ticket) -> None:
        job = PrintJob(ticket.rendered, self._profile, self._baud, owed=self._owed)
        self._report(DeviceStatus(DeviceState.BUSY), heard=True)
        if self._port is not None:
            self._port.drop_input()
        try:
            self._drive(job)
        finally:
            job.broken(Cause.NO_ANSWER)  # nothing when it is done; the truth when we crash
            ticket.result = job.result
            ticket.done.set()

    def _drive(self, job: PrintJob) -> None:
        while not job.is_done and not self._closing:
            problem = self._exchange(job)
            if problem is not None:
                job.broken(_cause_of(problem))
                self._lost(problem)
        self._owed = min(job.owed, OWED_MAX)
        if self._port is None:
            return
        if job.cleanup:
            self._port.write(job.cleanup)
        if job.causes is not None:
            heard = Cause.NO_ANSWER not in job.causes
            self._report(status.device_status(job.causes), heard=heard)

    def _exchange(self, talk: StatusRound | PrintJob) -> PortProblem | None:
        """One step of a conversation: send what it wants, give it what came."""
        if self._port is None:
            return PortProblem(PortCause.GONE)
        out = talk.tick(time.monotonic())
        if out:
            problem = self._port.write(out)
            if problem is not None:
                return problem
        heard = self._port.read(READ_S)
        if isinstance(heard, PortProblem):
            return heard
        if heard:
            with self._wake:
                self._heard_at = time.monotonic()
            talk.feed(heard, time.monotonic())
        return None

    def _lost(self, problem: PortProblem) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None
        blocked = problem.cause is PortCause.BLOCKED
        lost = DeviceStatus(DeviceState.ABSENT, Cause.NO_ANSWER.value)
        held = status.device_status(frozenset({Cause.HOST_BLOCKED}))
        self._report(held if blocked else lost, heard=blocked)

    def _report(self, newest: DeviceStatus, *, heard: bool) -> None:
        with self._wake:
            self._status = newest
            if heard:
                self._heard_at = time.monotonic()


def _cause_of(problem: PortProblem) -> Cause:
    return Cause.HOST_BLOCKED if problem.cause is PortCause.BLOCKED else Cause.NO_ANSWER
