"""A panel, a battery and a load under a sky, advanced in simulated time. Pure and deterministic.

The battery is AGM of 12 V: resting voltage by the table of `soc`, an inner resistance, charge that is
taken more slowly when nearly full, a float stage, and a controller that cuts and returns the load.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from typing import Literal

from hardware.power.soc import TABLES

Weather = Literal["clear", "cloudy", "storm"]
SKY: dict[str, float] = {"clear": 1.0, "cloudy": 0.22, "storm": 0.06}
"""Share of the clear-sky power that reaches the panel."""

Stage = Literal["off", "bulk", "absorption", "float"]
SUNRISE_H, SUNSET_H = 6.0, 18.5
ABSORPTION_MV, FLOAT_MV = 14_400, 13_700
CUT_MV, RETURN_MV = 11_100, 12_600
RESISTANCE_OHM = 0.03
BROKEN_RESISTANCE_OHM, BROKEN_CAPACITY = 1.0, 0.1
KNEE_PERCENT = 5.0
MAX_STEP_H = 0.01


@dataclass(frozen=True, slots=True)
class Truth:
    """The plant at one moment, in the units of the wire."""

    hour: float
    day: int
    soc_percent: int
    battery_mv: int
    battery_ma: int
    panel_mv: int
    solar_w: int
    load_ma: int
    load_on: bool
    stage: Stage
    temperature_c: int


class SolarPlant:
    """A node's energy: `advance` it, then look at `truth()`."""

    def __init__(
        self,
        *,
        panel_w: float = 120.0,
        capacity_ah: float = 100.0,
        load_w: float = 14.0,
        soc: float = 0.75,
        hour: float = 9.0,
        seed: int = 1,
    ) -> None:
        self.weather: Weather = "clear"
        self.load_wanted = True
        self.load_w = load_w
        self.soc = soc
        self.hour = hour
        self.day = 0
        self.is_broken = False
        self._panel_w = panel_w
        self._capacity_ah = capacity_ah
        self._fade = 1.0
        self._random = random.Random(seed)  # noqa: S311  a sky needs no secrets
        self._haze = 1.0
        self._connected = True
        self._stage: Stage = "off"
        self._volts = self._amperes = self._solar_w = 0.0
        self._settle(0.0)

    def break_battery(self) -> None:
        """A cell dies: little capacity is left, and the voltage collapses under any load."""
        self.is_broken = True
        self._settle(0.0)

    def fade(self, share: float) -> None:
        """Capacity lost with age: 0.6 is a battery that holds 60 % of what it held new."""
        self._fade = min(1.0, max(0.05, share))

    def new_battery(self, soc: float = 0.8) -> None:
        self.is_broken, self._fade, self.soc = False, 1.0, soc
        self._connected = True
        self._settle(0.0)

    def advance(self, hours: float) -> None:
        """Let simulated time pass; long stretches are taken in steps of `MAX_STEP_H`."""
        steps = max(1, math.ceil(hours / MAX_STEP_H))
        for _ in range(steps):
            self._step(hours / steps)

    def truth(self) -> Truth:
        drawn_ma = self._load_w / self._volts * 1000 if self._volts else 0.0
        sun = self._sunlight() > 0
        return Truth(
            hour=self.hour,
            day=self.day,
            soc_percent=round(self.soc * 100),
            battery_mv=round(self._volts * 100) * 10,
            battery_ma=round(self._amperes * 100) * 10,
            panel_mv=round(17_500 + 2_500 * self._haze) if sun else 0,
            solar_w=round(self._solar_w),
            load_ma=round(drawn_ma / 10) * 10,
            load_on=self._load_is_on,
            stage=self._stage,
            temperature_c=round(24 + 8 * math.sin((self.hour - 9) * math.pi / 12)),
        )

    @property
    def _load_is_on(self) -> bool:
        return self.load_wanted and self._connected

    @property
    def _load_w(self) -> float:
        return self.load_w if self._load_is_on else 0.0

    def _sunlight(self) -> float:
        """Share of the panel's power that the sun offers now."""
        if not SUNRISE_H < self.hour < SUNSET_H:
            return 0.0
        height = math.sin((self.hour - SUNRISE_H) / (SUNSET_H - SUNRISE_H) * math.pi)
        return height * SKY[self.weather] * self._haze

    def _step(self, hours: float) -> None:
        if hours > 0:
            pull = 0.2 if self.weather == "cloudy" else 0.03
            self._haze = min(1.0, max(0.5, self._haze + self._random.uniform(-pull, pull)))
        self._settle(hours)
        capacity_ah = self._capacity_ah * self._fade * (BROKEN_CAPACITY if self.is_broken else 1)
        self.soc = min(1.0, max(0.0, self.soc + self._amperes * hours / capacity_ah))
        self.hour += hours
        if self.hour >= 24:
            self.day, self.hour = self.day + 1, self.hour - 24

    def _settle(self, hours: float) -> None:
        """Voltage and current of this moment, and what the controller decides on them."""
        rest = _resting_volts(self.soc)
        offered_w = self._panel_w * self._sunlight()
        amperes = (offered_w - self._load_w) / rest
        charging = 0.6 * self.soc**8 if amperes > 0 else 0.0
        ohms = (BROKEN_RESISTANCE_OHM if self.is_broken else RESISTANCE_OHM) + charging
        ceiling = (FLOAT_MV if self.soc >= 0.99 else ABSORPTION_MV) / 1000
        self._stage = "bulk" if offered_w > 0.5 else "off"
        if amperes > 0 and rest + amperes * ohms > ceiling:
            amperes = max(0.0, ceiling - rest) / ohms
            self._stage = "float" if self.soc >= 0.99 else "absorption"
        self._amperes = amperes
        self._volts = max(8.0, rest + amperes * ohms)
        self._solar_w = min(offered_w, max(0.0, amperes * self._volts + self._load_w))
        if self._volts * 1000 < CUT_MV:
            self._connected = False
        elif self._volts * 1000 > RETURN_MV:
            self._connected = True


def _resting_volts(soc: float) -> float:
    """The table of `soc` read backwards, with the steep end that a real battery has."""
    percent = soc * 100
    if percent < KNEE_PERCENT:
        return _resting_volts(KNEE_PERCENT / 100) - 0.16 * (KNEE_PERCENT - percent)
    table = TABLES["agm"]
    for (low_mv, low), (high_mv, high) in itertools.pairwise(table):
        if percent <= high:
            return (low_mv + (high_mv - low_mv) * (percent - low) / (high - low)) / 1000
    return table[-1][0] / 1000
