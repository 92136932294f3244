"""State of charge from the battery voltage, for controllers that do not state it. Pure.

The tables are resting voltages of a battery of 12 V nominal at 25 °C; batteries of 24 and 48 V are
the same cells in series. Charging lifts the voltage and a load lowers it, so the current times a
typical internal resistance is taken off first, and while the charger works the estimate is held
under what the stage of charge proves. It errs low: too little energy is the safe mistake.
"""

from __future__ import annotations

import itertools

from hardware.power.state import Confidence, PowerState, Reading

TABLES: dict[str, tuple[tuple[int, int], ...]] = {
    "agm": (
        (11580, 0),
        (11700, 10),
        (11820, 20),
        (11940, 30),
        (12060, 40),
        (12180, 50),
        (12300, 60),
        (12420, 70),
        (12540, 80),
        (12660, 90),
        (12800, 100),
    ),
    "lifepo4": (
        (10000, 0),
        (12000, 9),
        (12500, 14),
        (12800, 17),
        (12900, 20),
        (13000, 30),
        (13050, 40),
        (13100, 50),
        (13130, 60),
        (13200, 70),
        (13300, 90),
        (13400, 99),
        (13600, 100),
    ),
}
"""Battery kind (setting `power.battery`) -> (millivolts of 12 V nominal, percent), ascending."""

RESISTANCE_MOHM = {"agm": 30, "lifepo4": 12}
"""Typical of 100 Ah at 12 V nominal, cables included."""

BULK_MAX, ABSORPTION_MAX = 80, 90
_RANGES_MV = ((7_000, 16_500, 1), (16_501, 33_000, 2), (33_001, 66_000, 4))


def blocks_of_12v(battery_mv: int) -> int | None:
    """How many 12 V batteries in series this voltage is; None when it is no battery of ours."""
    for low, high, blocks in _RANGES_MV:
        if low <= battery_mv <= high:
            return blocks
    return None


def estimate_soc(reading: Reading, battery: str) -> int | None:
    """Percent 0-100 from voltage, current and charge stage; None when the voltage says nothing."""
    blocks = blocks_of_12v(reading.battery_mv)
    if blocks is None:
        return None
    lifted_mv = (reading.battery_ma or 0) * RESISTANCE_MOHM[battery] // 1000
    percent = at_rest(reading.battery_mv // blocks - lifted_mv, battery)
    if reading.is_floating:
        return 100
    if reading.is_charging:
        absorbing = reading.battery_mv // blocks >= 14_000
        return min(percent, ABSORPTION_MAX if absorbing else BULK_MAX)
    return percent


def at_rest(millivolts: int, battery: str) -> int:
    """Percent of a 12 V battery that has rested, on the straight lines between table points."""
    table = TABLES[battery]
    if millivolts <= table[0][0]:
        return 0
    for (low_mv, low), (high_mv, high) in itertools.pairwise(table):
        if millivolts <= high_mv:
            return low + (high - low) * (millivolts - low_mv) // (high_mv - low_mv)
    return 100


def power_state(reading: Reading, age_s: float, battery: str) -> PowerState:
    """The figures of a reading, with a state of charge and how far to believe it."""
    soc, confidence = reading.soc_percent, Confidence.MEASURED
    if soc is None:
        soc, confidence = estimate_soc(reading, battery), Confidence.ESTIMATED
    if soc is None:
        confidence = Confidence.UNKNOWN
    return PowerState(
        soc_percent=soc,
        battery_mv=reading.battery_mv,
        battery_ma=reading.battery_ma,
        solar_w=reading.solar_w,
        load_w=reading.load_w,
        temperature_c=reading.temperature_c,
        age_s=age_s,
        confidence=confidence,
    )
