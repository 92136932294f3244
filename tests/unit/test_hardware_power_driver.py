"""Hostile controllers: whatever comes over the cable ends in a status, never in a dead driver."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minimalmodbus import Instrument

from hardware.power import epever
from hardware.power.driver import EpeverController, PowerDriver, VictronController
from hardware.power.far_modbus import BUFFER_MAX, FarModbus, crc
from hardware.power.far_words import tracer_registers
from hardware.power.modbus_line import LineLost, ModbusLine
from hardware.power.state import Cause, Confidence, device_status
from hardware.power.sun import SolarPlant
from hardware.power.vedirect import encode
from hardware.transport.port import PortCause, PortProblem
from hardware.transport.pty_end import PtyEnd
from municipio.devices import DeviceState
from municipio.settings import parse_settings


def until(holds: Callable[[], bool], within_s: float = 6.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


class Wire:
    """A port whose far end answers every question with the next of `answers`."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._ready = b""

    def write(self, data: bytes) -> PortProblem | None:
        self._ready = self._answers.pop(0) if self._answers else b""
        return None

    def read(self, timeout_s: float) -> bytes | PortProblem:
        if not self._ready:
            return PortProblem(PortCause.GONE)
        taken, self._ready = self._ready, b""
        return taken

    def drop_input(self) -> None:
        """Nothing waits before a question."""

    def close(self) -> None:
        """Nothing to give back."""


def asked(answers: list[bytes]) -> object:
    line = ModbusLine(Wire(answers), "wire", epever.BAUD, 0.001)  # type: ignore[arg-type]  # the shape of SerialPort
    driver = EpeverController.__new__(EpeverController)
    driver._lock, driver._refused, driver._noise_at = threading.Lock(), False, 0.0
    try:
        return driver._round(Instrument(line, 1), line)
    except LineLost:
        return None


frames = st.builds(
    lambda body: body + crc(body),
    st.builds(
        lambda a, f, n, rest: bytes((a, f, n)) + rest,
        st.sampled_from([1, 1, 1, 0, 2, 255]),
        st.sampled_from([4, 4, 4, 3, 0x84, 0x83, 0]),
        st.integers(0, 255),
        st.binary(max_size=20),
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(frames, st.binary(max_size=300)), max_size=5))
def test_no_answer_of_a_modbus_device_is_more_than_a_reading_or_none(answers: list[bytes]) -> None:
    asked(answers)


def test_a_round_of_right_answers_is_a_reading_and_one_wrong_answer_spoils_it() -> None:
    registers = tracer_registers(SolarPlant().truth())
    far = FarModbus(1, lambda: registers)
    answers = []
    for first, count in epever.ROUND.items():
        body = bytes((1, 4)) + first.to_bytes(2, "big") + count.to_bytes(2, "big")
        answers.append(far.feed(body + crc(body)))

    assert asked(list(answers)) is not None
    for n in range(len(answers)):
        wrong = list(answers)
        wrong[n] = wrong[n][:-1] + bytes((wrong[n][-1] ^ 1,))
        assert asked(wrong) is None
        late = [*answers[:n], answers[n - 1], *answers[n + 1 :]]
        assert asked(late) is None, "the answer to another question was taken"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600), st.integers(1, 50))
def test_the_far_modbus_survives_any_bytes_and_still_answers(noise: bytes, size: int) -> None:
    far = FarModbus(1, lambda: {0x311A: 77})
    for at in range(0, len(noise), size):
        far.feed(noise[at : at + size])
    assert len(far._heard) <= BUFFER_MAX
    far.pause()

    body = bytes((1, 4, 0x31, 0x1A, 0, 1))
    answer = bytes((1, 4, 2, 0, 77))
    assert far.feed(body + crc(body)) == answer + crc(answer)


@pytest.mark.parametrize("build", [VictronController, EpeverController])
def test_a_flood_is_garbled_and_the_driver_lives(build: type[PowerDriver]) -> None:
    noise = random.Random(3)
    far = PtyEnd(lambda data: None, lambda: far.send(noise.randbytes(3000)))
    driver = build(far.open())
    try:
        until(lambda: driver.status().cause == "garbled")
        assert driver.power().confidence is Confidence.UNKNOWN
        assert driver._thread.is_alive()
    finally:
        driver.close()
        far.close()


def test_a_product_without_a_battery_is_not_taken_for_a_controller() -> None:
    """A whole, right block of something else: bytes come, and none of them is a reading."""
    block = encode({"PID": "0xA279", "AC_OUT_V": "12000", "MODE": "2"})
    far = PtyEnd(lambda data: None, lambda: far.send(block), idle_s=0.3)
    driver = VictronController(far.open())
    try:
        until(lambda: driver.status().cause == "garbled")
    finally:
        driver.close()
        far.close()


def test_every_cause_has_a_state_and_only_health_is_ready() -> None:
    assert device_status(None).state is DeviceState.READY
    for cause in Cause:
        assert device_status(cause).state not in (DeviceState.READY, DeviceState.ABSENT)
        assert device_status(cause).cause == cause.value


def test_a_node_without_a_controller_builds_none() -> None:
    from hardware.power.driver import build_power

    with pytest.raises(ValueError, match="none"):
        build_power(parse_settings({}))
