"""The input registers of an EPEVER Tracer (Modbus RTU, function 4), read as whole rounds. Pure.

Hundredths of volt, ampere, watt and degree; 32-bit values with the low word first. A Tracer refuses
a read that crosses a hole in its map, so a round is several reads; no two have the same length,
so that an answer that comes late can never be taken for that of the next question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hardware.power.state import Cause, Reading

BAUD = 115_200
ADDRESS = 1

PV = 0x3100
"""4: panel volts, amperes, watts low and high."""
LOAD = 0x310C
"""6: load volts, amperes, watts low and high, battery °C, controller °C."""
SOC = 0x311A
"""1: percent, as the controller states it."""
STATUS = 0x3200
"""2: battery status bits, charging status bits."""
BATTERY = 0x331A
"""3: volts, amperes low and high (signed)."""

ROUND: dict[int, int] = {BATTERY: 3, PV: 4, LOAD: 6, STATUS: 2, SOC: 1}
"""First register -> how many; one round reads all of them."""
MAY_BE_MISSING = frozenset({SOC})
"""Some models have no such register; then the state of charge is estimated."""

_CHARGING_FAULTS = (
    (0b0000_0001_1000_0000, Cause.LOAD_SHORT),  # D8 load short, D7 load MOSFET short
    (0b0000_0010_0000_0000, Cause.LOAD_SHORT),  # D9 load over current
    (0b0000_0100_0001_0000, Cause.PANEL_FAULT),  # D10 input over current, D4 panel short
    (0b0011_1000_0000_0000, Cause.CONTROLLER_FAULT),  # D11-D13 MOSFET shorts
)
_BATTERY_VOLTAGE = {1: Cause.BATTERY_OVERVOLTAGE, 2: Cause.BATTERY_LOW, 3: Cause.LOAD_OFF}
_PANEL_TOO_HIGH, _PANEL_ERROR = 2, 3
_CONTROLLER_HOT_C = 85

Round = Mapping[int, Sequence[int]]


def reading(answers: Round) -> Reading | None:
    """The reading of a whole round; None when a figure in it cannot be."""
    volts, amperes_low, amperes_high = answers[BATTERY]
    pv_w = _low_high(answers[PV][2], answers[PV][3])
    load = answers[LOAD]
    soc = answers[SOC][0] if SOC in answers else None
    battery_status, charging_status = answers[STATUS]
    if volts > 7_000 or (soc is not None and soc > 100) or pv_w > 2_000_000:
        return None
    charging = charging_status >> 2 & 0b11
    return Reading(
        battery_mv=volts * 10,
        battery_ma=_signed(_low_high(amperes_low, amperes_high), 32) * 10,
        soc_percent=soc,
        solar_w=round(pv_w / 100),
        load_w=round(_low_high(load[2], load[3]) / 100),
        temperature_c=round(_signed(load[4], 16) / 100),
        is_floating=charging == 1,
        is_charging=charging in (2, 3),
        load_is_on=battery_status & 0xF != 3,
        cause=_cause(battery_status, charging_status, _signed(load[5], 16) / 100),
    )


def _cause(battery: int, charging: int, controller_c: float) -> Cause | None:
    """The fault bit D1 of the charging status is left alone: it is set on healthy devices."""
    for bits, cause in _CHARGING_FAULTS:
        if charging & bits:
            return cause
    if charging >> 14 in (_PANEL_TOO_HIGH, _PANEL_ERROR):
        return Cause.PANEL_FAULT
    if battery & 0xF == 4 or battery & 0x8100:
        return Cause.BATTERY_FAILING  # fault, abnormal inner resistance, wrong rated voltage
    if battery & 0xF0:
        return Cause.BATTERY_TEMPERATURE
    if controller_c >= _CONTROLLER_HOT_C:
        return Cause.CONTROLLER_HOT
    return _BATTERY_VOLTAGE.get(battery & 0xF)


def _low_high(low: int, high: int) -> int:
    return high << 16 | low


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
