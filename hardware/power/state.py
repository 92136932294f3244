"""What is known about the energy of a node, and every trouble that a charge controller can have.

The rule of this room: a figure is a figure that a whole, checked message carried within the last
`SILENCE_S`, or it is None. Nothing old, nothing half heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from municipio.devices import DeviceState, DeviceStatus

SILENCE_S = 3.0


class Confidence(StrEnum):
    """How far `PowerState.soc_percent` can be believed."""

    MEASURED = "measured"
    """The controller or a shunt states it."""
    ESTIMATED = "estimated"
    """Ours, from the battery voltage (`soc.estimate_soc`): good to about 15 points."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PowerState:
    """One reading. None: this controller does not say, or nothing is known.

    `battery_ma` is positive while charging. `age_s` counts from the last byte of the message;
    infinite when there never was one.
    """

    soc_percent: int | None
    battery_mv: int | None
    battery_ma: int | None
    solar_w: int | None
    load_w: int | None
    temperature_c: int | None
    age_s: float
    confidence: Confidence


class Cause(StrEnum):
    NO_ANSWER = "no_answer"
    GARBLED = "garbled"
    """Bytes arrive and none of them make a whole message: wrong speed, wrong kind, bad cable."""
    BATTERY_LOW = "battery_low"
    LOAD_OFF = "load_off"
    """The controller has cut its load output."""
    BATTERY_FAILING = "battery_failing"
    """It says that it holds energy, and its voltage collapses under a small load."""
    BATTERY_OVERVOLTAGE = "battery_overvoltage"
    BATTERY_TEMPERATURE = "battery_temperature"
    PANEL_FAULT = "panel_fault"
    LOAD_SHORT = "load_short"
    CONTROLLER_HOT = "controller_hot"
    CONTROLLER_FAULT = "controller_fault"
    WRONG_MODEL = "wrong_model"
    """It answers and refuses the registers that every controller of this kind has."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one whole message of a controller says; `soc_percent` only when it states one itself."""

    battery_mv: int
    battery_ma: int | None = None
    soc_percent: int | None = None
    solar_w: int | None = None
    load_w: int | None = None
    temperature_c: int | None = None
    is_floating: bool = False
    is_charging: bool = False
    load_is_on: bool | None = None
    cause: Cause | None = None


class ChargeController(Protocol):
    """What every driver of this folder is. No call waits for the wire."""

    def status(self) -> DeviceStatus: ...

    def power(self) -> PowerState: ...

    def close(self) -> None: ...


def nothing_known(age_s: float) -> PowerState:
    return PowerState(None, None, None, None, None, None, age_s, Confidence.UNKNOWN)


_FAULTS = frozenset(
    {
        Cause.BATTERY_OVERVOLTAGE,
        Cause.PANEL_FAULT,
        Cause.LOAD_SHORT,
        Cause.CONTROLLER_FAULT,
        Cause.BATTERY_FAILING,
        Cause.WRONG_MODEL,
    }
)
_UNKNOWN = frozenset({Cause.NO_ANSWER, Cause.GARBLED})


def device_status(cause: Cause | None) -> DeviceStatus:
    if cause is None:
        return DeviceStatus(DeviceState.READY)
    if cause in _UNKNOWN:
        return DeviceStatus(DeviceState.UNKNOWN, cause.value)
    state = DeviceState.FAULT if cause in _FAULTS else DeviceState.ATTENTION
    return DeviceStatus(state, cause.value)
