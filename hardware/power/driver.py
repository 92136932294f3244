"""Charge controllers on a serial port: one thread that listens or asks, one state that ages.

Both drivers only read. A controller keeps charging whatever happens to its data cable.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from hardware.power import epever, vedirect, victron
from hardware.power.modbus_line import LineLost, ModbusLine
from hardware.power.sag import SagWatch
from hardware.power.soc import power_state
from hardware.power.state import (
    SILENCE_S,
    Cause,
    PowerState,
    Reading,
    device_status,
    nothing_known,
)
from hardware.transport.serial_port import PortCause, PortProblem, SerialPort, open_port
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

if TYPE_CHECKING:
    from minimalmodbus import Instrument

REOPEN_S = 0.5
HEARTBEAT_S = 0.8
LISTEN_S = 0.5
GATHER_S = 0.1
"""After the first byte of a block, wait for its companions: one wake-up instead of a hundred."""
ANSWER_S = 0.4
VEDIRECT_BAUD = 19_200


class _No(Enum):
    ANSWER = auto()
    SUCH_REGISTER = auto()


class PowerDriver:
    """What both drivers are: the newest whole reading, its age, and a port that is opened again."""

    def __init__(self, port: str, baud: int, battery: str) -> None:
        self._path = port
        self._baud = baud
        self._battery = battery
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._absent: DeviceStatus | None = None
        self._reading: Reading | None = None
        self._cause: Cause | None = None
        self._sag = SagWatch()
        self._began_at = time.monotonic()
        self._told_at = -math.inf
        self._noise_at = -math.inf
        self._refused = False
        self._thread = threading.Thread(target=self._run, name="power", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        """Newest known state; UNKNOWN when no whole message came for `SILENCE_S`."""
        now = time.monotonic()
        with self._lock:
            if self._absent is not None:
                return self._absent
            if now - self._told_at <= SILENCE_S:
                return device_status(self._cause)
            if now - max(self._told_at, self._began_at) <= SILENCE_S:
                return DeviceStatus(DeviceState.STARTING)
            if self._refused:
                return device_status(Cause.WRONG_MODEL)
            garbled = now - self._noise_at <= SILENCE_S
            return device_status(Cause.GARBLED if garbled else Cause.NO_ANSWER)

    def power(self) -> PowerState:
        """The figures of the newest whole message, or nothing once it is older than `SILENCE_S`."""
        with self._lock:
            age_s = time.monotonic() - self._told_at
            if self._reading is None or age_s > SILENCE_S or self._absent is not None:
                return nothing_known(age_s)
            return power_state(self._reading, age_s, self._battery)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=10)

    def _serve(self, port: SerialPort) -> None:
        """Until the port is lost or the driver closes. Each kind of controller has its own."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._closing.is_set():
            opened = open_port(self._path, self._baud)
            if isinstance(opened, PortProblem):
                self._say_absent(opened)
                self._closing.wait(REOPEN_S)
                continue
            with self._lock:
                self._absent, self._began_at = None, time.monotonic()
            try:
                self._serve(opened)
            finally:
                opened.close()
            if not self._closing.is_set():
                self._say_absent(PortProblem(PortCause.GONE))

    def _say_absent(self, problem: PortProblem) -> None:
        missing = problem.cause in (PortCause.MISSING, PortCause.GONE)
        state = DeviceState.ABSENT if missing else DeviceState.UNKNOWN
        with self._lock:
            self._absent = DeviceStatus(state, Cause.NO_ANSWER.value)
            self._reading, self._told_at, self._noise_at = None, -math.inf, -math.inf
            self._refused, self._sag = False, SagWatch()

    def _told(self, reading: Reading) -> None:
        now = time.monotonic()
        with self._lock:
            failing = self._sag.see(reading, now)
            if failing and reading.cause in (None, Cause.BATTERY_LOW, Cause.LOAD_OFF):
                reading = replace(reading, cause=Cause.BATTERY_FAILING)
            self._reading, self._cause, self._told_at = reading, reading.cause, now
            self._refused = False

    def _refuses(self, refuses: bool) -> None:
        with self._lock:
            self._refused = refuses

    def _noise(self) -> None:
        with self._lock:
            self._noise_at = time.monotonic()


class VictronController(PowerDriver):
    """A Victron solar charger, battery monitor or shunt that talks VE.Direct by itself.

    A battery monitor states the charge; a solar charger does not and it is estimated.
    """

    def __init__(self, port: str, battery: str = "agm") -> None:
        super().__init__(port, VEDIRECT_BAUD, battery)

    def _serve(self, port: SerialPort) -> None:
        parser = vedirect.Parser()
        while not self._closing.is_set():
            heard = port.read(LISTEN_S)
            if heard == b"":
                continue
            self._closing.wait(GATHER_S)
            more = port.read(0)
            if isinstance(heard, PortProblem) or isinstance(more, PortProblem):
                return
            self._happened(parser.feed(heard + more))

    def _happened(self, events: list[vedirect.Event]) -> None:
        """Bytes that made no whole reading are noise until one comes."""
        for event in events:
            said = victron.reading(event.fields) if isinstance(event, vedirect.Block) else None
            if said is not None:
                self._told(said)
        self._noise()


class EpeverController(PowerDriver):
    """An EPEVER Tracer on RS-485, asked a little more than once a second."""

    def __init__(
        self,
        port: str,
        battery: str = "agm",
        baud: int = epever.BAUD,
        address: int = epever.ADDRESS,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._address = address
        self._heartbeat_s = heartbeat_s
        super().__init__(port, baud, battery)

    def _serve(self, port: SerialPort) -> None:
        from minimalmodbus import Instrument  # 30 ms that a node without a Tracer does not pay

        line = ModbusLine(port, self._path, self._baud, ANSWER_S)
        device = Instrument(line, self._address)
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                said = self._round(device, line)
            except LineLost:
                return
            if said is not None:
                self._told(said)
            self._closing.wait(max(0.0, began + self._heartbeat_s - time.monotonic()))

    def _round(self, device: Instrument, line: ModbusLine) -> Reading | None:
        """Every block of the map, or nothing: figures of two rounds are never mixed."""
        answers: dict[int, list[int]] = {}
        for first, count in epever.ROUND.items():
            got = self._ask(device, line, first, count)
            if isinstance(got, list):
                answers[first] = got
            elif got is _No.ANSWER or first not in epever.MAY_BE_MISSING:
                self._refuses(got is _No.SUCH_REGISTER)
                return None
        return epever.reading(answers)

    def _ask(self, device: Instrument, line: ModbusLine, first: int, count: int) -> list[int] | _No:
        from minimalmodbus import ModbusException, SlaveReportedException

        line.heard_any = False
        try:
            got: list[int] = device.read_registers(first, count, functioncode=4)
        except SlaveReportedException:
            return _No.SUCH_REGISTER
        except (ModbusException, ValueError):
            if line.heard_any:
                self._noise()
            return _No.ANSWER
        return got


def build_power(settings: Settings) -> PowerDriver:
    """The controller that `power.kind` names; ValueError for `none`, which has none to build."""
    kind, port = settings.text("power.kind"), settings.text("power.port")
    battery = settings.text("power.battery")
    if kind == "vedirect":
        return VictronController(port, battery)
    if kind == "epever":
        return EpeverController(port, battery)
    raise ValueError(f"there is no charge controller of kind «{kind}»")
