"""One bad thing on the controller's cable, at every moment of its talk: no false figure is ever told.

The sun stands still, so the plant has one truth. After each fault every figure seen is that truth or
nothing, and the driver is well again without a restart.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.power.driver import EpeverController, PowerDriver, VictronController
from hardware.power.simulator import Kind, SunSimulator
from hardware.power.state import PowerState
from hardware.power.sun import SolarPlant
from hardware.transport.faulty_cable import Fault, FaultyCable
from municipio.devices import DeviceState

WELL_S = 6.0
STALL_S = 0.6
PIECES = {"vedirect": 4, "epever": 11}
"""Pieces that cross in one round of talk, and one more: past it the same moments come again."""


class Street:
    """A plant that stands still, a cable that may fail, and a driver that is watched all the time."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.far = SunSimulator(
            kind, SolarPlant(hour=12, soc=0.7), time_factor=0, block_every_s=0.1
        )
        self.cable = FaultyCable(self.far.open(), stall_s=STALL_S)
        self.cable.link(folder / "power")
        self.cable.open()
        self.driver: PowerDriver = (
            VictronController(str(folder / "power"))
            if kind == "vedirect"
            else EpeverController(str(folder / "power"), heartbeat_s=0.05)
        )
        self.well()
        self.truth = self._figures(self.driver.power())

    def well(self) -> None:
        """Wait for READY; every figure told meanwhile must be true."""
        end = time.monotonic() + WELL_S
        while self.driver.status().state is not DeviceState.READY:
            self.check()
            assert time.monotonic() < end, f"never well again: {self.driver.status()}"
            time.sleep(0.02)

    def check(self) -> None:
        power = self.driver.power()
        figures = self._figures(power)
        if hasattr(self, "truth"):
            assert figures in (self.truth, (None,) * len(figures)), power

    def watch_until_fired(self) -> None:
        end = time.monotonic() + WELL_S
        while not self.cable.fired:
            self.check()
            assert time.monotonic() < end, "the fault never came"
            time.sleep(0.02)
        for _ in range(8):
            self.check()
            time.sleep(0.02)

    def close(self) -> None:
        self.driver.close()
        self.cable.close()
        self.far.close()

    @staticmethod
    def _figures(power: PowerState) -> tuple[int | None, ...]:
        return (
            power.battery_mv,
            power.battery_ma,
            power.soc_percent,
            power.solar_w,
            power.load_w,
            power.temperature_c,
        )


@pytest.fixture(scope="module", params=["vedirect", "epever"])
def street(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    built = Street(request.param, tmp_path_factory.mktemp("street"))
    yield built
    built.close()


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.UNPLUG])
def test_after_any_fault_of_the_nth_piece_only_the_truth_is_told(
    street: Street, fault: Fault
) -> None:
    for nth in range(1, PIECES[street.far.kind]):
        street.cable.arm(fault, nth)
        street.watch_until_fired()
        street.well()
        assert street._figures(street.driver.power()) == street.truth, (fault, nth)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_cable_pulled_in_the_middle_is_absent_and_comes_back(street: Street, nth: int) -> None:
    street.cable.arm(Fault.UNPLUG, nth)
    seen = set()
    end = time.monotonic() + WELL_S
    while not street.cable.fired or street.driver.status().state is not DeviceState.READY:
        seen.add(street.driver.status().state)
        street.check()
        assert time.monotonic() < end, f"never well again: {street.driver.status()}"
        time.sleep(0.02)

    assert DeviceState.ABSENT in seen
    assert street._figures(street.driver.power()) == street.truth


_PROGRAM = """
import sys, time
from hardware.power.driver import build_power
from municipio.settings import parse_settings
power = build_power(parse_settings({"power": {"kind": sys.argv[1], "port": sys.argv[2]}}))
while power.power().battery_mv is None:
    time.sleep(0.01)
print(power.power().battery_mv, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["vedirect", "epever"])
def test_a_program_killed_in_the_middle_leaves_the_port_to_the_next(
    kind: Kind, tmp_path: Path
) -> None:
    """Killed at moments that fall everywhere in a round; the lock on the port dies with the program."""
    far = SunSimulator(kind, SolarPlant(hour=12, soc=0.7), time_factor=0, block_every_s=0.25)
    far.link(tmp_path / "power")
    far.open()
    told = []
    for wait_s in (0.0, 0.13, 0.31):
        program = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, kind, str(tmp_path / "power")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert program.stdout is not None
        told.append(program.stdout.readline().strip())
        time.sleep(wait_s)
        program.send_signal(signal.SIGKILL)
        program.wait()
        program.stdout.close()
    far.close()

    assert told == [str(far.truth().battery_mv)] * 3
