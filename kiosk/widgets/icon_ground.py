"""An icon on the pale ground of its accent: the tile of a choice, the medal of a message."""

from __future__ import annotations

from typing import Any

from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout

from kiosk.widgets import skin
from kiosk.widgets.surface import Ground
from kiosk.widgets.text import Icon

ICON_PART = 0.56
"""Of the ground's height."""


class IconGround(Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Subclasses say how round it is and what the icon's tone is."""

    icon = StringProperty("")
    accent = StringProperty("sea")

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon()
        super().__init__(**kwargs)
        self.edge = ""
        self.add_widget(self._icon)
        for name in ("icon", "accent", "height"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.fill = skin.accent_ground(self.accent)
        self._icon.name = self.icon
        self._icon.dots = round(self.height * ICON_PART)


class IconTile(IconGround):
    """A rounded square."""

    def _dress(self, *_: Any) -> None:
        super()._dress()
        self.radius = self.height * 0.24
        self._icon.tone = skin.accent_stroke(self.accent)


class Medal(IconGround):
    """A large circle: the mood of a whole screen."""

    def _dress(self, *_: Any) -> None:
        super()._dress()
        accent = "sea" if self.accent == "plain" else self.accent
        self.fill, self.radius = skin.accent_ground(accent), self.height / 2
        self._icon.tone = accent
