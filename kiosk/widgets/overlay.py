"""The question "are you still there?" above a dimmed screen."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from kiosk.widgets import skin
from kiosk.widgets.buttons import PushButton
from kiosk.widgets.icon_ground import Medal
from kiosk.widgets.surface import Card
from kiosk.widgets.text import Words


class Question(FloatLayout):  # type: ignore[misc]  # kivy has no type information
    """A card with an icon, a title, a sentence and two buttons; nothing behind it can be touched."""

    def __init__(self, icon: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.canvas.before:
            Color(rgba=(*skin.color("ink")[:3], 0.6))
            self._shade = Rectangle()
        self.fbind("size", self._paint)
        card = Card(
            orientation="vertical", edge="", radius=skin.px(32), padding=skin.px(48),
            spacing=skin.px(18), size_hint=(None, None),
            pos_hint={"center_x": 0.5, "center_y": 0.22 if skin.is_portrait() else 0.5},
        )  # fmt: skip
        card.size = (skin.px(860), skin.px(500))
        side = skin.px(104)
        card.add_widget(
            Medal(icon=icon, accent="sun", size_hint=(None, None), size=(side, side),
                  pos_hint={"center_x": 0.5})
        )  # fmt: skip
        self.title = Words(role="display", weight="bold", halign="center", grow=True)
        self.sentence = Words(role="body", halign="center")
        self.yes, self.no = PushButton(kind="primary"), PushButton(kind="plain")
        row = BoxLayout(size_hint_y=None, height=max(skin.target(), skin.px(108)))
        row.spacing = skin.px(24)
        for part in (self.title, self.sentence, row):
            card.add_widget(part)
        for button in (self.yes, self.no):
            row.add_widget(button)
        self.add_widget(card)

    def _paint(self, *_: Any) -> None:
        self._shade.size = self.size
