"""What is on every screen in the same place: who speaks (top), how the link is, and the bottom bar."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.buttons import BarButton
from kiosk.widgets.surface import Bar, Card, Ground
from kiosk.widgets.text import Icon, Words


class Pill(Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One sentence with its icon on a pale ground, as wide as its words."""

    icon = StringProperty("")
    text = StringProperty("")
    accent = StringProperty("leaf")
    role = StringProperty("small")
    most = NumericProperty(0)
    """The most it may be wide, in dots: a longer sentence takes two lines. 0: as wide as its words."""

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(dots=skin.px(26), size_hint_x=None, width=skin.px(26))
        self._words = Words(weight="bold", role="small", hug=True)
        super().__init__(**kwargs)
        self.size_hint = (None, None)
        self.height = skin.px(48)
        self.edge, self.radius = "", skin.px(24)
        self.spacing, self.padding = skin.px(12), (skin.px(20), 0)
        self.add_widget(self._icon)
        self.add_widget(self._words)
        self._words.fbind("width", self._dress)
        for name in ("icon", "text", "accent", "role", "most"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.fill = skin.accent_ground(self.accent)
        self._icon.name, self._icon.tone = self.icon, self.accent
        self._words.role, self._words.hug = self.role, not self.most
        self._words.text, self._words.tone = self.text, self.accent
        self.height = skin.px(60 if self.most else 48)
        around = self._icon.width + skin.px(12) + 2 * skin.px(20)
        if self.most:
            self._words.width = self.most - around
        self.width = self._words.width + around
        self.opacity = 1 if self.text else 0


class Header(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """The city, the place and the state of the link."""

    city = StringProperty("")
    site = StringProperty("")
    link_text = StringProperty("")
    link_icon = StringProperty("")
    link_accent = StringProperty("leaf")

    def __init__(self, **kwargs: Any) -> None:
        self._city = Words(
            weight="bold", role="body", hug=True, size_hint_y=None, height=skin.px(32)
        )
        self._site = Words(role="caption", tone="muted", hug=True, size_hint_y=None)
        self._pill = Pill(pos_hint={"center_y": 0.5})
        super().__init__(**kwargs)
        self.size_hint_y = None
        self.height = skin.px(88)
        self.padding = (skin.px(40), skin.px(14), skin.px(40), skin.px(10))
        self.spacing = skin.px(16)
        badge = Card(fill="primary", edge="", radius=skin.px(12), size_hint=(None, None))
        badge.size, badge.pos_hint = (skin.px(44), skin.px(44)), {"center_y": 0.5}
        badge.add_widget(Icon(name="landmark", tone="card", dots=skin.px(28)))
        self._who = BoxLayout(orientation="vertical", size_hint_x=None)
        for part in (Widget(), self._city, self._site, Widget()):
            self._who.add_widget(part)
        for part in (badge, self._who, Widget(), self._pill):
            self.add_widget(part)
        for part in (self._city, self._site):
            part.fbind("width", self._measure)
        self._pill.fbind("width", self._measure)
        for name in ("city", "site", "link_text", "link_icon", "link_accent"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._city.text, self._site.text = self.city, self.site
        self._pill.icon, self._pill.text = self.link_icon, self.link_text
        self._pill.accent = self.link_accent
        self._pill.role, self._pill.most = "small", 0

    def _measure(self, *_: Any) -> None:
        """The name takes what it needs; a long sentence is written smaller, then on two lines."""
        self._who.width = max(self._city.width, self._site.width)
        room = skin.theme().metrics.width - self._who.width - skin.px(44 + 2 * 40 + 3 * 16)
        if self._pill.width > room:
            self._pill.most = room if self._pill.role == "caption" else 0
            self._pill.role = "caption"


class BottomBar(Bar):
    """Up to five places of equal width, with a line between them and a dead gap around each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size_hint_y = None
        self.height = skin.bar_height()
        self.padding = (0, 0, 0, 2)
        with self.canvas.after:
            Color(rgba=skin.color("line"))
            self._dividers = [Rectangle(size=(0, 0)) for _ in range(4)]
        self.fbind("size", self._divide)
        self.fbind("children", self._divide)

    def show(self, buttons: list[BarButton | None]) -> None:
        """Replace the places, left to right; None leaves one empty, so that the others stay put."""
        self.clear_widgets()
        inset = (skin.gap() + 1) // 2
        for button in buttons:
            cell = BoxLayout(padding=(inset, 2, inset, 0))
            if button is not None:
                cell.add_widget(button)
            self.add_widget(cell)

    def _divide(self, *_: Any) -> None:
        count = len(self.children)
        for index, line in enumerate(self._dividers, 1):
            shown = index < count
            line.size = (2, self.height) if shown else (0, 0)
            line.pos = (self.x + self.width * index / max(count, 1) - 1, self.y)


class Steps(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Where one is: "Paso 2 de 4" and as many bars."""

    text = StringProperty("")
    step = NumericProperty(0)
    steps = NumericProperty(0)

    def __init__(self, **kwargs: Any) -> None:
        self._words = Words(role="small", tone="muted", hug=True)
        super().__init__(**kwargs)
        self.size_hint = (None, None)
        self.height, self.spacing = skin.px(32), skin.px(10)
        for name in ("text", "step", "steps"):
            self.fbind(name, self._dress)
        self._words.fbind("width", self._measure)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._words.text = self.text
        self.clear_widgets()
        self.add_widget(self._words)
        for number in range(1, int(self.steps) + 1):
            fill = "primary" if number <= self.step else "line"
            bar = Card(fill=fill, edge="", radius=skin.px(5), size_hint=(None, None))
            bar.size, bar.pos_hint = (skin.px(56), skin.px(10)), {"center_y": 0.5}
            self.add_widget(bar)
        self._measure()

    def _measure(self, *_: Any) -> None:
        self.width = self._words.width + int(self.steps) * (skin.px(56) + skin.px(10))
