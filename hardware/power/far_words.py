"""What a controller says about a plant: VE.Direct fields, and EPEVER registers. Pure."""

from __future__ import annotations

from hardware.power import epever
from hardware.power.sun import CUT_MV, Truth

_CS = {"off": "0", "bulk": "3", "absorption": "4", "float": "5"}
_CHARGING = {"off": 0, "bulk": 2, "absorption": 2, "float": 1}


def mppt_fields(truth: Truth) -> dict[str, str]:
    """A block of a solar charger with a load output, in the order such a product sends it."""
    return {
        "PID": "0xA053",
        "FW": "164",
        "SER#": "DEMO0000001",
        "V": str(truth.battery_mv),
        "I": str(truth.battery_ma),
        "VPV": str(truth.panel_mv),
        "PPV": str(truth.solar_w),
        "CS": _CS[truth.stage],
        "MPPT": "2" if truth.stage == "bulk" else "1" if truth.stage != "off" else "0",
        "OR": "0x00000000" if truth.stage != "off" else "0x00000001",
        "ERR": "0",
        "LOAD": "ON" if truth.load_on else "OFF",
        "IL": str(truth.load_ma),
        "H19": "1284",
        "H20": "31",
        "H21": "97",
        "H22": "44",
        "H23": "102",
        "HSDS": str(truth.day),
    }


def tracer_registers(truth: Truth, *, panel_short: bool = False) -> dict[int, int]:
    """Every register of `epever.ROUND` and no other: the rest of the map is refused."""
    load_w = round(truth.load_ma * truth.battery_mv / 10_000)
    pv_a = round(truth.solar_w * 100_000 / truth.panel_mv) if truth.panel_mv else 0
    blocks = {
        epever.PV: [truth.panel_mv // 10, pv_a, *_low_high(truth.solar_w * 100)],
        epever.LOAD: [
            truth.battery_mv // 10 if truth.load_on else 0,
            truth.load_ma // 10,
            *_low_high(load_w),
            truth.temperature_c * 100 & 0xFFFF,
            (truth.temperature_c + 7) * 100 & 0xFFFF,
        ],
        epever.SOC: [truth.soc_percent],
        epever.STATUS: [
            _battery_status(truth),
            _CHARGING[truth.stage] << 2 | (0b01 if truth.load_on else 0) | panel_short << 4,
        ],
        epever.BATTERY: [truth.battery_mv // 10, *_low_high(truth.battery_ma // 10 & 0xFFFF_FFFF)],
    }
    return {first + n: value for first, values in blocks.items() for n, value in enumerate(values)}


def _battery_status(truth: Truth) -> int:
    if truth.battery_mv < CUT_MV or not truth.load_on:
        return 3
    return 2 if truth.battery_mv < CUT_MV + 300 else 0


def _low_high(value: int) -> tuple[int, int]:
    return value & 0xFFFF, value >> 16
