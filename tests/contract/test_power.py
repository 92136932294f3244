"""What every charge controller must do: true figures with an age, or none; silence is `unknown`."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hardware.power.driver import EpeverController, VictronController, build_power
from hardware.power.far_words import tracer_registers
from hardware.power.simulator import Kind, SunSimulator
from hardware.power.state import SILENCE_S, ChargeController, Confidence
from hardware.power.sun import SolarPlant
from hardware.transport.pty_end import PtyEnd
from municipio.devices import DeviceState
from municipio.settings import parse_settings

S = DeviceState


@dataclass
class Rig:
    far: SunSimulator
    controller: ChargeController

    @property
    def state(self) -> DeviceState:
        return self.controller.status().state

    @property
    def cause(self) -> str:
        return self.controller.status().cause


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def driver(kind: str, port: str) -> ChargeController:
    return build_power(parse_settings({"power": {"kind": kind, "port": port}}))


@pytest.fixture(params=["vedirect", "epever"])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def rig(kind: Kind, tmp_path: Path) -> Iterator[Rig]:
    """The sun stands still, so that a figure is either the truth or wrong."""
    far = SunSimulator(kind, SolarPlant(hour=12, soc=0.7), time_factor=0)
    far.link(tmp_path / "power")
    far.open()
    built = Rig(far, driver(kind, str(tmp_path / "power")))
    until(lambda: built.state is S.READY)
    yield built
    built.controller.close()
    far.close()


def test_the_figures_are_those_of_the_plant(rig: Rig) -> None:
    power, truth = rig.controller.power(), rig.far.truth()

    assert (power.battery_mv, power.battery_ma) == (truth.battery_mv, truth.battery_ma)
    assert (power.solar_w, power.load_w) == (truth.solar_w, 14)
    assert power.age_s < 1.5
    assert power.soc_percent is not None
    assert abs(power.soc_percent - truth.soc_percent) <= 15


def test_a_charge_that_nobody_states_is_said_to_be_an_estimate(rig: Rig) -> None:
    stated = rig.far.kind == "epever"

    expected = Confidence.MEASURED if stated else Confidence.ESTIMATED
    assert rig.controller.power().confidence is expected


def test_silence_for_three_seconds_is_unknown_and_leaves_no_figure(rig: Rig) -> None:
    rig.far.silence()
    until(lambda: rig.state is S.UNKNOWN, SILENCE_S + 1.0)
    power = rig.controller.power()

    assert rig.cause == "no_answer"
    assert (power.battery_mv, power.soc_percent, power.load_w) == (None, None, None)
    assert power.confidence is Confidence.UNKNOWN
    assert power.age_s > SILENCE_S
    rig.far.speak()
    until(lambda: rig.state is S.READY, 3)


def test_garbage_is_unknown_with_its_own_cause_and_ends_when_it_ends(rig: Rig) -> None:
    rig.far.garbage()
    until(lambda: rig.cause == "garbled", SILENCE_S + 2.5)
    assert rig.controller.power().battery_mv is None
    rig.far.garbage(False)
    until(lambda: rig.state is S.READY, 5)


def test_an_unplugged_cable_is_absent_and_found_again_without_a_restart(rig: Rig) -> None:
    rig.far.unplug()
    until(lambda: rig.state is S.ABSENT, 4)
    assert rig.controller.power().confidence is Confidence.UNKNOWN
    rig.far.replug()
    until(lambda: rig.state is S.READY, 4)


def test_a_load_that_is_cut_is_told_within_a_second_and_a_half(rig: Rig) -> None:
    rig.far.set_load(False)
    until(lambda: rig.cause == "load_off", 1.5)
    assert rig.controller.power().load_w == 0


def test_a_fault_of_the_panel_is_a_fault(rig: Rig) -> None:
    rig.far.fault(33)
    until(lambda: rig.cause == "panel_fault", 2)
    assert rig.state is S.FAULT


def test_a_battery_that_dies_is_told_apart_from_an_empty_one(rig: Rig) -> None:
    rig.far.set_hour(22)
    until(lambda: rig.controller.power().solar_w == 0, 2)
    rig.far.break_battery()
    until(lambda: rig.cause == "battery_failing", 2)


def test_no_call_waits_for_the_wire(rig: Rig) -> None:
    rig.far.silence()
    slowest = 0.0
    for _ in range(200):
        began = time.monotonic()
        rig.controller.status()
        rig.controller.power()
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.002)

    assert slowest < 0.3


def test_a_day_in_a_minute_keeps_the_estimate_near_the_truth(kind: Kind, tmp_path: Path) -> None:
    """A quarter of it: six hours from before sunrise."""
    far = SunSimulator(kind, SolarPlant(hour=4, soc=0.5), time_factor=3 * 1440.0)
    controller = driver(kind, far.open())
    try:
        until(lambda: controller.power().solar_w == 0)
        until(lambda: (controller.power().solar_w or 0) > 20)
        power, truth = controller.power(), far.truth()
        assert power.soc_percent is not None
        assert abs(power.soc_percent - truth.soc_percent) <= 20
    finally:
        controller.close()
        far.close()


@pytest.mark.parametrize("missing", [False, True], ids=["", "and nobody is there"])
def test_a_driver_ends_when_it_is_closed(kind: Kind, missing: bool, tmp_path: Path) -> None:
    far = SunSimulator(kind)
    controller = driver(kind, str(tmp_path / "none") if missing else far.open())
    time.sleep(0.2)
    began = time.monotonic()
    controller.close()

    assert time.monotonic() - began < 1.5
    assert controller.power().age_s == math.inf or not missing
    far.close()


def test_hostile_bytes_from_the_node_do_not_silence_the_simulator(rig: Rig) -> None:
    rig.far._receive(bytes(range(256)) * 200)
    rig.far._receive(b"\x01\x04" * 5000)

    time.sleep(1.2)
    assert rig.controller.power().age_s < 2.5


class Tracer:
    """pymodbus as a Tracer: another author's Modbus at the far end of a cable."""

    def __init__(self, registers: dict[int, int]) -> None:
        self._ours = PtyEnd(lambda data: self._theirs.send(data))
        self._theirs = PtyEnd(lambda data: self._ours.send(data))
        self.path = self._ours.open()
        self._port = self._theirs.open()
        self._data = [
            SimData(first, values=value, datatype=DataType.REGISTERS)
            for first, value in sorted(registers.items())
        ]
        self._loop = asyncio.new_event_loop()
        self._server: ModbusSerialServer | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._server = ModbusSerialServer(
            SimDevice(1, simdata=self._data),
            framer=FramerType.RTU,
            port=self._port,
            baudrate=115_200,
        )
        await self._server.serve_forever()

    def close(self) -> None:
        assert self._server is not None
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop)
        self._thread.join(timeout=5)
        self._ours.close()
        self._theirs.close()


@pytest.mark.parametrize("hour", [12, 22], ids=["noon", "night"])
def test_another_authors_modbus_server_is_read_like_our_own(hour: int) -> None:
    plant = SolarPlant(hour=hour, soc=0.62)
    far = Tracer(tracer_registers(plant.truth()))
    controller = EpeverController(far.path)
    try:
        until(lambda: controller.status().state is S.READY)
        power, truth = controller.power(), plant.truth()
        assert (power.battery_mv, power.battery_ma) == (truth.battery_mv, truth.battery_ma)
        assert (power.soc_percent, power.solar_w, power.load_w) == (62, truth.solar_w, 14)
        assert power.temperature_c == truth.temperature_c
    finally:
        controller.close()
        far.close()


def test_a_tracer_without_a_charge_register_gets_an_estimate() -> None:
    registers = tracer_registers(SolarPlant(hour=22, soc=0.5).truth())
    del registers[0x311A]
    far = Tracer(registers)
    controller = EpeverController(far.path)
    try:
        until(lambda: controller.status().state is S.READY)
        assert controller.power().confidence is Confidence.ESTIMATED
        assert controller.power().soc_percent == pytest.approx(50, abs=5)
    finally:
        controller.close()
        far.close()


def test_a_modbus_device_that_is_no_tracer_is_named_so() -> None:
    far = Tracer({0x0001: 7})
    controller = EpeverController(far.path)
    try:
        until(lambda: controller.status().cause == "wrong_model")
        assert controller.power().confidence is Confidence.UNKNOWN
    finally:
        controller.close()
        far.close()


@pytest.mark.hw
def test_a_real_controller_tells_a_battery_voltage() -> None:
    """Set PLAZA_HW_POWER to its port and PLAZA_HW_POWER_KIND to vedirect or epever."""
    port = os.environ.get("PLAZA_HW_POWER", "")
    if not port:
        pytest.skip("PLAZA_HW_POWER names no port")
    controller = driver(os.environ["PLAZA_HW_POWER_KIND"], port)
    try:
        until(lambda: controller.power().battery_mv is not None, 6)
        assert controller.status().state in (S.READY, S.ATTENTION, S.FAULT)
    finally:
        controller.close()


def test_the_driver_of_a_kind_is_chosen_by_the_settings(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    built = [driver("vedirect", nowhere), driver("epever", nowhere)]
    for one in built:
        one.close()

    assert [type(one) for one in built] == [VictronController, EpeverController]
