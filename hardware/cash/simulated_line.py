"""The cash bus without a cable: our protocol and the simulated peripherals in one thread and in virtual time.

For simulations of thousands of payments. Every byte of the wire is really made and parsed; `fault` may
change, lose or delay it.
"""

from __future__ import annotations

from collections.abc import Callable

from hardware.cash.protocol import CashProtocol, CashSetup
from hardware.cash.sim_bus import SimBus
from municipio.devices import CashEvent, CashGate, CashPosition, CashUnit, DeviceStatus, Payout

STEP_S = 0.05
BYTE_S = 10 / 9600
Fault = Callable[[bytes, bool], bytes]
"""Given bytes and whether they go to the peripherals; returns what arrives."""


class SimulatedLine:
    """A `municipio.devices.CashDevice`; time passes only in `run`."""

    def __init__(self, bus: SimBus | None = None, setup: CashSetup | None = None) -> None:
        self.bus = bus or SimBus()
        self.now = 1000.0
        self.is_plugged = True
        self.fault: Fault | None = None
        self._setup = setup or CashSetup(hopper_address=3)
        self._protocol = CashProtocol(self._setup)

    def restart(self) -> None:
        """Our program dies and another one starts; the peripherals notice nothing."""
        self._protocol = CashProtocol(self._setup)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.step()

    def step(self) -> None:
        out = self._protocol.tick(self.now)
        if not out:
            self.now += STEP_S
            self.bus.tick(self.now)
            return
        arrived = self._through(out, to_device=True)
        heard = self.bus.feed(arrived, self.now) if self.is_plugged else b""
        self.now += BYTE_S * (len(out) + len(heard))
        self.bus.tick(self.now)
        if heard:
            self._protocol.feed(self._through(heard, to_device=False), self.now)

    def _through(self, data: bytes, *, to_device: bool) -> bytes:
        return data if self.fault is None else self.fault(data, to_device)

    # --- municipio.devices.CashDevice -------------------------------------------------------

    def status(self) -> DeviceStatus:
        return self._protocol.status(self.now)

    def unit_status(self, unit: CashUnit) -> DeviceStatus:
        return self._protocol.unit_status(unit, self.now)

    def denominations(self, unit: CashUnit) -> frozenset[int]:
        return self._protocol.denominations(unit)

    def resume(self, positions: tuple[CashPosition, ...], pending_note_centavos: int = 0) -> None:
        self._protocol.resume(positions, pending_note_centavos)

    def accept(self, coins: frozenset[int], notes: frozenset[int]) -> None:
        self._protocol.accept(coins, notes)

    def gate(self) -> CashGate:
        return self._protocol.gate()

    def events(self) -> tuple[CashEvent, ...]:
        return self._protocol.events()

    def confirm(self, event: CashEvent) -> None:
        self._protocol.confirm(event)

    def route(self, *, stack: bool) -> None:
        self._protocol.route(stack=stack)

    def hopper_count(self) -> int | None:
        return self._protocol.hopper_count()

    def dispense(self, coins: int) -> None:
        self._protocol.dispense(coins, self.now)

    def payout(self) -> Payout:
        return self._protocol.payout(self.now)
