"""What a VE.Direct block of a solar charger or battery monitor means. Pure.

Units on the wire: V and VPV mV, I and IL mA, PPV and P W, SOC per mille, T °C; `---` is "I do not
know". Codes of CS and ERR as in Victron's "VE.Direct Protocol".
"""

from __future__ import annotations

from collections.abc import Mapping

from hardware.power.state import Cause, Reading

ERRORS: dict[int, Cause] = {
    2: Cause.BATTERY_OVERVOLTAGE,
    17: Cause.CONTROLLER_HOT,
    18: Cause.CONTROLLER_FAULT,
    19: Cause.CONTROLLER_FAULT,
    20: Cause.CONTROLLER_FAULT,
    21: Cause.CONTROLLER_FAULT,
    26: Cause.CONTROLLER_HOT,
    33: Cause.PANEL_FAULT,
    34: Cause.PANEL_FAULT,
    38: Cause.BATTERY_OVERVOLTAGE,
    39: Cause.PANEL_FAULT,
}
"""ERR codes that a technician can act on in their own way; every other one is CONTROLLER_FAULT."""

STATE_FAULT = 2
CHARGING = frozenset({3, 4, 7, 245, 247})
"""CS: bulk, absorption, equalise, starting, auto equalise."""
FLOATING = frozenset({5, 6})

_LIMITS = {
    "V": (0, 70_000),
    "I": (-1_000_000, 1_000_000),
    "IL": (-1_000, 200_000),
    "PPV": (0, 20_000),
    "SOC": (0, 1000),
    "T": (-60, 120),
    "CS": (0, 255),
    "ERR": (0, 255),
    "AR": (0, 65_535),
}
_ALARM_LOW = 0b0000_0101
"""AR bits: low voltage, low state of charge."""
_ALARM_HOT = 0b0000_0110_0000
"""AR bits: low and high temperature."""


def reading(fields: Mapping[str, str]) -> Reading | None:
    """The reading of one block, or None: no battery voltage in it, or a figure that cannot be."""
    try:
        numbers = {label: _number(label, fields[label]) for label in _LIMITS if label in fields}
    except ValueError:
        return None
    battery_mv = numbers.get("V")
    if battery_mv is None:
        return None
    load_ma, per_mille = numbers.get("IL"), numbers.get("SOC")
    load = fields.get("LOAD")
    return Reading(
        battery_mv=battery_mv,
        battery_ma=numbers.get("I"),
        soc_percent=None if per_mille is None else per_mille // 10,
        solar_w=numbers.get("PPV"),
        load_w=None if load_ma is None else round(battery_mv * max(load_ma, 0) / 1_000_000),
        temperature_c=numbers.get("T"),
        is_floating=numbers.get("CS") in FLOATING,
        is_charging=numbers.get("CS") in CHARGING,
        load_is_on=None if load is None else load.upper() == "ON",
        cause=_cause(numbers, load),
    )


def _number(label: str, text: str) -> int | None:
    """None for "I do not know". ValueError for what is no number or out of all reason."""
    if text == "---":
        return None
    low, high = _LIMITS[label]
    number = int(text)
    if not low <= number <= high:
        raise ValueError(f"{label} of {number}")
    return number


def _cause(numbers: Mapping[str, int | None], load: str | None) -> Cause | None:
    error = numbers.get("ERR") or 0
    if error:
        return ERRORS.get(error, Cause.CONTROLLER_FAULT)
    if numbers.get("CS") == STATE_FAULT:
        return Cause.CONTROLLER_FAULT
    alarm = numbers.get("AR") or 0
    if alarm & _ALARM_HOT:
        return Cause.BATTERY_TEMPERATURE
    if load is not None and load.upper() == "OFF":
        return Cause.LOAD_OFF
    return Cause.BATTERY_LOW if alarm & _ALARM_LOW else None
