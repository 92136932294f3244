"""The kiosk's sign of life: every few seconds one new picture is asked for, and what was drawn is told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from kiosk.flow import Screen
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.kiosk_pulse import PULSE_S, KioskPulse, write_pulse

if TYPE_CHECKING:
    from kiosk.app import KioskApp


NOBODY = (Screen.HOME, Screen.FUERA_DE_SERVICIO)
"""Screens on which nobody is in the middle of something."""


class Pulse:
    """Lives on the thread that draws, so that it stops when drawing does."""

    def __init__(self, data: DataDir, window: Any, clock: Any, app: KioskApp) -> None:
        self._file = data.kiosk_file
        self._now = SystemClock().now
        self._window, self._clock, self._app = window, clock, app
        self._flips = 1  # the first screen was on the glass before this was made

    def start(self) -> None:
        self._window.bind(on_flip=self._flipped)
        self._clock.schedule_interval(self.beat, PULSE_S)
        self.beat()

    def beat(self, *_: Any) -> None:
        """A card that takes nothing must not stop the screen: the sign is missed, which is the truth."""
        now = self._now()
        pulse = KioskPulse(
            boot=now.boot,
            boot_ms=now.boot_ms,
            flips=self._flips,
            at_home=self._app.conductor.screen in NOBODY,
            quiet_s=int(min(self._app.quiet_s(), 10**6)),
        )
        with contextlib.suppress(OSError):
            write_pulse(self._file, pulse)
        self._window.canvas.ask_update()

    def _flipped(self, *_: Any) -> None:
        self._flips += 1
