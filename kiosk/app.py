"""The Kivy application: one window, no settings panel, no way out by a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kivy.app import App
from kivy.core.window import Window

from kiosk.conductor import Conductor
from kiosk.house import House
from kiosk.screens.frame import Stage
from kiosk.widgets import skin
from kiosk.widgets.touch import TouchGuard


class KioskApp(App):  # type: ignore[misc]  # kivy has no type information
    """Holds stage and conductor. `on_ready` is called once, after the first screen is on the glass."""

    def __init__(self, house: House, *, locked: bool, on_ready: Callable[[], None] | None = None):
        super().__init__()
        self.use_kivy_settings = False
        self.house = house
        self._locked = locked
        self._on_ready = on_ready
        self._last_touch = 0.0
        self.stage = Stage(house.words, TouchGuard(), self._touched)
        self.conductor = Conductor(house, self.stage)

    def build(self) -> Any:
        Window.clearcolor = skin.color("paper")
        Window.bind(on_request_close=lambda *_: self._locked, on_keyboard=lambda *_: True)
        self.conductor.start()
        if self._on_ready is not None:
            Window.bind(on_flip=self._first_frame)
        return self.stage

    def load_kv(self, filename: str | None = None) -> None:
        """No .kv file is searched for by the application's name."""

    def open_settings(self, *_: Any) -> bool:
        """Kivy's settings panel does not exist here."""
        return False

    def quiet_s(self) -> float:
        """Seconds since the last touch."""
        return time.monotonic() - self._last_touch

    def on_stop(self) -> None:
        self.conductor.stop()

    def _touched(self) -> None:
        self._last_touch = time.monotonic()
        self.conductor.touched()

    def _first_frame(self, *_: Any) -> None:
        Window.unbind(on_flip=self._first_frame)
        if self._on_ready is not None:
            self._on_ready()
