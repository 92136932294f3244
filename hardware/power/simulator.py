"""A charge controller that is not there, under a sun that obeys: `SunSimulator`.

It speaks VE.Direct or EPEVER's Modbus at the far end of a pty. Controls may be called from any
thread, in the middle of a message.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Literal

from hardware.power import epever
from hardware.power.far_modbus import FarModbus
from hardware.power.far_words import mppt_fields, tracer_registers
from hardware.power.sun import SKY, SolarPlant, Truth, Weather
from hardware.power.vedirect import encode
from hardware.transport.on_pty import OnPty
from hardware.transport.pty_end import PtyEnd

Kind = Literal["vedirect", "epever"]
DAY_IN_A_MINUTE = 1440.0
BLOCK_EVERY_S = 1.0
QUIET_S = 0.02
HEX_PING = b":7F0ED00711600B2\n"
"""A register report as products interleave it; its content means nothing here."""


class SunSimulator(OnPty):
    """`time_factor` simulated seconds pass per real second: 1440 is a day of sun in a minute."""

    def __init__(
        self,
        kind: Kind = "vedirect",
        plant: SolarPlant | None = None,
        *,
        time_factor: float = 1.0,
        block_every_s: float = BLOCK_EVERY_S,
        seed: int = 1,
    ) -> None:
        self.kind = kind
        self.plant = plant if plant is not None else SolarPlant(seed=seed)
        self.time_factor = time_factor
        self.hex_between = False
        """Interleave a hex frame in the middle of every VE.Direct block."""
        self._block_every_s = block_every_s
        self._random = random.Random(seed)  # noqa: S311  noise needs no secrets
        self._error = 0
        self._silent = False
        self._garbage = False
        self._lock = threading.RLock()
        self._moved_at = self._heard_at = time.monotonic()
        self._sent_at = 0.0
        self._far = FarModbus(epever.ADDRESS, self._registers)
        self._end = PtyEnd(self._receive, self._pass_time)

    def open(self) -> str:
        self._moved_at = time.monotonic()
        return super().open()

    def set_weather(self, weather: Weather) -> None:
        """Clear, cloudy (leave it for a cloudy week) or storm, from now on."""
        if weather not in SKY:
            raise ValueError(f"weather is one of {', '.join(SKY)}, not {weather!r}")
        with self._lock:
            self.plant.weather = weather

    def set_time_factor(self, factor: float) -> None:
        """0 stops the sun; `DAY_IN_A_MINUTE` is what it says. At most 100,000."""
        with self._lock:
            self._move()
            self.time_factor = min(100_000.0, max(0.0, factor))

    def set_load(self, on: bool) -> None:
        with self._lock:
            self.plant.load_wanted = on
            self.plant.advance(0)

    def set_charge(self, percent: float) -> None:
        with self._lock:
            self.plant.soc = min(1.0, max(0.0, percent / 100))
            self.plant.advance(0)

    def set_hour(self, hour: float) -> None:
        with self._lock:
            self.plant.hour = hour % 24
            self.plant.advance(0)

    def pass_days(self, days: float) -> None:
        """At once: a cloudy week is `set_weather("cloudy")` and `pass_days(7)`."""
        with self._lock:
            self.plant.advance(min(days, 366) * 24)

    def break_battery(self) -> None:
        with self._lock:
            self.plant.break_battery()

    def fade_battery(self, share: float) -> None:
        with self._lock:
            self.plant.fade(share)

    def new_battery(self) -> None:
        with self._lock:
            self.plant.new_battery()

    def fault(self, code: int) -> None:
        """A VE.Direct ERR code from now on; 0 clears it. EPEVER shows any as a panel short."""
        with self._lock:
            self._error = code

    def garbage(self, on: bool = True) -> None:
        """Send noise in place of messages, as a wrong speed or a wet connector does."""
        self._garbage = on

    def silence(self) -> None:
        self._silent = True

    def speak(self) -> None:
        self._silent = False

    def truth(self) -> Truth:
        with self._lock:
            return self.plant.truth()

    def state(self) -> dict[str, object]:
        truth = self.truth()
        return {
            "kind": self.kind,
            "weather": self.plant.weather,
            "time_factor": self.time_factor,
            "silent": self._silent,
            "garbage": self._garbage,
            "plugged": self.is_plugged,
            "broken": self.plant.is_broken,
            **{name: getattr(truth, name) for name in Truth.__slots__},
        }

    def _move(self) -> None:
        now = time.monotonic()
        passed_s, self._moved_at = now - self._moved_at, now
        if self.time_factor:
            self.plant.advance(passed_s * self.time_factor / 3600)

    def _pass_time(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._moved_at >= 0.1:
                self._move()
            if now - self._heard_at > QUIET_S:
                self._far.pause()
            due = now - self._sent_at >= self._block_every_s
            if self._silent or not due or (self.kind == "epever" and not self._garbage):
                return
            self._sent_at = now
            self._end.send(self._noise() if self._garbage else self._block())

    def _block(self) -> bytes:
        fields = mppt_fields(self.plant.truth())
        fields["ERR"] = str(self._error)
        block = encode(fields)
        middle = len(block) // 2
        return block[:middle] + HEX_PING + block[middle:] if self.hex_between else block

    def _registers(self) -> dict[int, int]:
        return tracer_registers(self.plant.truth(), panel_short=bool(self._error))

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randint(1, 300))

    def _receive(self, data: bytes) -> None:
        """VE.Direct text asks for nothing: whatever a driver says there is not heard."""
        with self._lock:
            self._heard_at = time.monotonic()
            if self.kind == "vedirect" or self._silent:
                return
            answer = self._far.feed(data)
            if answer:
                self._end.send(self._noise() if self._garbage else answer)
