"""A receipt printer at the end of a cable: `municipio.devices.Printer` over real bytes.

One thread owns the port. It asks the printer how it is at least once a second, listens for what
the printer tells by itself, prints one paper at a time, and opens the port again whenever the
device comes back. Nothing here waits for ever.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from hardware.printer import commands, status
from hardware.printer.answers import AnswerReader, Report
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.protocol import PrintJob, StatusRound
from hardware.printer.status import Cause
from hardware.transport.address import AddressError, open_address, parse_address
from hardware.transport.port import Port, PortCause, PortProblem
from municipio.devices import DeviceState, DeviceStatus, PrintResult, PrintVerdict
from municipio.receipts import Paper
from municipio.settings import Settings

HEARTBEAT_S = 0.7
LISTEN_S = 0.1
"""How often an idle driver looks whether the printer told something by itself."""
SILENCE_S = 3.0
REOPEN_S = 0.5
REOPEN_SILENT_S = 8.0
"""A port that is open and silent this long is opened anew: a network cable gives no other sign."""
READ_S = 0.02
QUEUE_MAX = 8
"""Papers waiting; a kiosk has one citizen, so more means that somebody loops."""
OWED_MAX = 4
FILL_EVERY_S = 2.5
FAST_BAUD = 1_000_000
"""What USB and the local network carry at the very least."""

Opener = Callable[[], Port | PortProblem]


def build_printer(settings: Settings) -> ReceiptPrinter:
    """The printer that a node's settings describe."""
    profile = PROFILES[settings.text("printer.profile")]
    return ReceiptPrinter(settings.text("printer.port"), settings.number("printer.baud"), profile)


class _Ticket:
    """One caller's wait for a verdict."""

    def __init__(self, rendered: bytes) -> None:
        self.rendered = rendered
        self.result = PrintResult(PrintVerdict.FAILED, Cause.NO_ANSWER.value)
        self.done = threading.Event()


class ReceiptPrinter:
    """The printer at `port`, an address as `hardware.transport.address` reads it.

    `start` is implied; call `close` when the program ends. `opener` replaces the way in which the
    port is opened: tests put a faulty cable there.
    """

    def __init__(
        self, port: str, baud: int, profile: Profile, *, opener: Opener | None = None
    ) -> None:
        self._open_port = opener or _opener(port, baud)
        self._baud = baud if "://" not in port else FAST_BAUD
        self._profile = profile
        self._status = DeviceStatus(DeviceState.STARTING)
        self._heard_at = time.monotonic()
        self._tickets: deque[_Ticket] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._owed = 0
        self._filled_at = 0.0
        self._fill_bytes = len(commands.FILL)
        self._opened_at = 0.0
        self._asked_for_reports = False
        self._reader = AnswerReader()
        self._port: Port | None = None
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
                self._listen(time.monotonic() + HEARTBEAT_S)
        finally:
            self._closing = True
            self._refuse_waiting()
            self._close_port()

    def _open(self) -> bool:
        opened = self._open_port()
        if isinstance(opened, PortProblem):
            absent = opened.cause in (PortCause.MISSING, PortCause.GONE)
            state = DeviceState.ABSENT if absent else DeviceState.UNKNOWN
            self._report(DeviceStatus(state, Cause.NO_ANSWER.value), heard=False)
            return False
        self._port = opened
        self._opened_at = time.monotonic()
        self._asked_for_reports = False
        return True

    def _listen(self, until: float) -> None:
        """Idle: hear what the printer tells by itself, until a paper comes or it is time to ask."""
        while not self._tickets and not self._closing and self._port is not None:
            left_s = until - time.monotonic()
            if left_s <= 0:
                return
            self._sleep(min(left_s, LISTEN_S))
            heard = self._port.read(0.0)
            if isinstance(heard, PortProblem):
                self._lost(heard)
                return
            for answer in self._reader.feed(heard):
                if isinstance(answer, Report):
                    self._report(status.device_status(answer.causes), heard=True)

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
        talk = StatusRound(self._profile.status)
        while talk.result is None and self._port is not None and not self._closing:
            problem = self._exchange(talk)
            if problem is not None:
                self._lost(problem)
                return
        if talk.result is not None:
            self._after_round(talk, talk.result)

    def _after_round(self, talk: StatusRound, causes: frozenset[Cause]) -> None:
        self._report(status.device_status(causes), heard=talk.heard)
        if not talk.heard:
            self._after_silence()
        elif not self._asked_for_reports and self._profile.asb and not status.blocking(causes):
            self._asked_for_reports = True
            self._tell(commands.ASB_ON)

    def _after_silence(self) -> None:
        """Perhaps it still waits for the rest of somebody's broken command; perhaps it is gone."""
        now = time.monotonic()
        self._asked_for_reports = False
        if now - max(self._heard_at, self._opened_at) > REOPEN_SILENT_S:
            self._close_port()
        elif now - self._filled_at > FILL_EVERY_S:
            self._filled_at = now
            self._tell(bytes(self._fill_bytes))
            self._fill_bytes = min(2 * self._fill_bytes, max(len(commands.FILL), self._baud // 10))

    def _tell(self, data: bytes) -> None:
        """Send something that has no answer of its own."""
        problem = self._port.write(data) if self._port is not None else None
        if problem is not None:
            self._lost(problem)

    def _close_port(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _print(self, ticket: _Ticket) -> None:
        letters = secrets.token_hex(2).encode()
        job = PrintJob(ticket.rendered, self._profile, self._baud, owed=self._owed, letters=letters)
        self._asked_for_reports = False  # the job switches them off
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
            self._tell(job.cleanup)
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
                self._fill_bytes = len(commands.FILL)
            talk.feed(heard, time.monotonic())
        return None

    def _lost(self, problem: PortProblem) -> None:
        self._close_port()
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


def _opener(port: str, baud: int) -> Opener:
    """A setting that names no port is a printer that is not there: the node runs on without it."""
    try:
        address = parse_address(port)
    except AddressError as problem:
        missing = PortProblem(PortCause.MISSING, str(problem))
        return lambda: missing
    return lambda: open_address(address, baud)
