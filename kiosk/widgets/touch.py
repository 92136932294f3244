"""What a finger may do: a target acts on release inside it, once, and not right after a wake-up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

REFRACTORY_S = 0.4
SWALLOW_S = 1.0
"""After a wake-up or a dialog, touches belong to what the person saw before, not to what is there now."""


class TouchGuard:
    """Swallows every touch for a while. Monotonic seconds; nothing here depends on the wall clock."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.monotonic
        self._blocked_until = 0.0

    def swallow(self, seconds: float = SWALLOW_S) -> None:
        self._blocked_until = self.now() + seconds

    def is_swallowing(self) -> bool:
        return self.now() < self._blocked_until


class Target(Widget):  # type: ignore[misc]  # kivy has no type information
    """Something a finger can act on. Subclasses draw it; `on_act` fires once per deliberate touch.

    `key` names it for tests and remote control (`home.tramites`); `text` is its visible word and
    `speech` what audio mode says.
    """

    key = StringProperty("")
    text = StringProperty("")
    speech = StringProperty("")
    enabled = BooleanProperty(True)
    pressed = BooleanProperty(False)
    refractory_s = NumericProperty(REFRACTORY_S)

    __events__ = ("on_act",)

    def __init__(self, **kwargs: Any) -> None:
        self._last_act = -1e9
        self._pressed_key = ""
        super().__init__(**kwargs)

    def on_act(self) -> None:
        """Default handler: nothing."""

    def on_touch_down(self, touch: Any) -> bool:
        if not self.enabled or not self.collide_point(*touch.pos):
            return bool(super().on_touch_down(touch))
        touch.grab(self)
        self.pressed, self._pressed_key = True, self.key
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is self:
            self.pressed = self.collide_point(*touch.pos)
            return True
        return bool(super().on_touch_move(touch))

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return bool(super().on_touch_up(touch))
        touch.ungrab(self)
        self.pressed = False
        now = time.monotonic()
        if (
            self.collide_point(*touch.pos)
            and self.enabled
            # Dressed anew under the finger: the person pressed another button than this one.
            and self.key == self._pressed_key
            and now - self._last_act >= self.refractory_s
        ):
            self._last_act = now
            self.dispatch("on_act")
        return True
