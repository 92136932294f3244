"""Cash on a serial port: `municipio.devices.CashDevice` over the sans-IO protocol of this folder.

One thread owns the port: it asks every peripheral at least once a second and opens a lost port again by
itself. Every call returns at once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from hardware.cash.onlooker import Onlooker
from hardware.cash.protocol import CashProtocol, CashSetup
from hardware.cash.status import CashCause
from hardware.transport.serial_port import PortCause, PortProblem, SerialPort, open_port
from municipio.devices import (
    CashEvent,
    CashGate,
    CashPosition,
    CashUnit,
    DeviceState,
    DeviceStatus,
    Payout,
)
from municipio.settings import Settings

REOPEN_S = 0.3
READ_S = 0.02


def setup_from(settings: Settings) -> CashSetup:
    return CashSetup(
        coin_address=settings.number("cash.coin_address"),
        note_address=settings.number("cash.note_address"),
        hopper_address=settings.number("cash.hopper_address"),
        hopper_coin_centavos=settings.number("cash.hopper_coin_centavos"),
        hopper_uses_key=settings.text("cash.hopper_mode") == "clave",
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """How the port is, apart from what stands on the bus."""

    state: DeviceState
    is_open: bool = False


class CcTalkCash:
    """The bus at `port` (a path). Silent until `resume`. Call `close` when the program ends.

    With `only_looks` it asks how each peripheral is and changes nothing: a technician may look while
    the kiosk is stopped without spoiling what its journal knows.
    """

    def __init__(self, port: str, baud: int, setup: CashSetup, *, only_looks: bool = False) -> None:
        self._path = port
        self._baud = baud
        self._protocol = Onlooker(setup) if only_looks else CashProtocol(setup)
        self._port: SerialPort | None = None
        self._line = _Line(DeviceState.STARTING)
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cash", daemon=True)
        self._thread.start()

    def status(self) -> DeviceStatus:
        with self._lock:
            if self._line.is_open:
                return self._protocol.status(time.monotonic())
            cause = "" if self._line.state is DeviceState.STARTING else CashCause.NO_ANSWER.value
            return DeviceStatus(self._line.state, cause)

    def unit_status(self, unit: CashUnit) -> DeviceStatus:
        with self._lock:
            if not self._line.is_open:
                return self.status()
            return self._protocol.unit_status(unit, time.monotonic())

    def denominations(self, unit: CashUnit) -> frozenset[int]:
        with self._lock:
            return self._protocol.denominations(unit)

    def resume(self, positions: tuple[CashPosition, ...], pending_note_centavos: int = 0) -> None:
        with self._lock:
            self._protocol.resume(positions, pending_note_centavos)

    def accept(self, coins: frozenset[int], notes: frozenset[int]) -> None:
        with self._lock:
            self._protocol.accept(coins, notes)

    def gate(self) -> CashGate:
        with self._lock:
            return self._protocol.gate()

    def events(self) -> tuple[CashEvent, ...]:
        with self._lock:
            return self._protocol.events()

    def confirm(self, event: CashEvent) -> None:
        with self._lock:
            self._protocol.confirm(event)

    def route(self, *, stack: bool) -> None:
        with self._lock:
            self._protocol.route(stack=stack)

    def hopper_count(self) -> int | None:
        with self._lock:
            return self._protocol.hopper_count()

    def dispense(self, coins: int) -> None:
        with self._lock:
            self._protocol.dispense(coins, time.monotonic())

    def payout(self) -> Payout:
        with self._lock:
            return self._protocol.payout(time.monotonic())

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=10)

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            if self._port is None and not self._open():
                self._closing.wait(REOPEN_S)
            else:
                self._turn()
        if self._port is not None:
            self._port.close()

    def _open(self) -> bool:
        opened = open_port(self._path, self._baud)
        with self._lock:
            if isinstance(opened, PortProblem):
                missing = opened.cause in (PortCause.MISSING, PortCause.GONE)
                state = DeviceState.ABSENT if missing else DeviceState.UNKNOWN
                self._line = _Line(state)
                return False
            self._port = opened
            self._line = _Line(DeviceState.STARTING, is_open=True)
        return True

    def _turn(self) -> None:
        assert self._port is not None, "a turn needs a port"
        with self._lock:
            out = self._protocol.tick(time.monotonic())
        problem = self._port.write(out) if out else None
        heard = self._port.read(READ_S) if problem is None else problem
        with self._lock:
            if isinstance(heard, PortProblem):
                self._port.close()
                self._port = None
                self._line = _Line(DeviceState.ABSENT)
                self._protocol.disconnected(time.monotonic())
            elif heard:
                self._protocol.feed(heard, time.monotonic())
