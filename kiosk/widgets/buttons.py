"""Targets that look like something to press: choices, actions, list rows and the bottom bar's places.

Every one has an icon and a word. Pressing shows at once, acting happens on release.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.icon_ground import IconTile
from kiosk.widgets.surface import Ground
from kiosk.widgets.text import Icon, Words, clip_to_lines
from kiosk.widgets.touch import Target


class Choice(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A large card with an icon tile, a noun and one line of what it is for."""

    icon = StringProperty("")
    accent = StringProperty("sea")
    detail = StringProperty("")
    role = StringProperty("title")
    tile = NumericProperty(120)
    stacked = BooleanProperty(False)
    chosen = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self._tile = IconTile(size_hint=(None, None), pos_hint={"center_y": 0.5})
        self._name = Words(weight="bold", grow=True)
        self._detail = Words(tone="muted", role="body", grow=True)
        self._words = BoxLayout(orientation="vertical")
        super().__init__(**kwargs)
        self.orientation = "vertical" if self.stacked else "horizontal"
        side = skin.px(36 if self.tile > 90 else 22)
        # Three lines of a name stand in the middle of a low card, not above it.
        self.padding = (side, skin.px(10) if skin.is_tall() and not self.stacked else side)
        self.spacing = skin.px(28 if self.tile > 90 else 20)
        for part in (Widget(), self._name, self._detail, Widget()):
            self._words.add_widget(part)
        self._words.spacing = skin.px(4)
        if self.tile:
            self.add_widget(self._tile)
        self.add_widget(self._words)
        for name in (
            "icon",
            "accent",
            "text",
            "detail",
            "role",
            "pressed",
            "enabled",
            "tile",
            "chosen",
        ):
            self.fbind(name, self._dress)
        self.fbind("size", self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._tile.icon, self._tile.accent = self.icon, self.accent
        side = skin.px(self.tile) if self.tile else 0
        self._tile.size, self._tile.opacity = (side, side), 1 if self.tile else 0
        self._name.text, self._name.role = self.text, self.role
        self._detail.text = self.detail
        self._detail.role = "body" if self.role == "title" else "small"
        inside = max(1, self.height - 2 * skin.px(skin.pick(14, 12)))
        self._detail.limit = inside * 0.5
        self._name.limit = inside * (0.5 if self.detail else 1)
        if not self.detail and self._detail.parent is not None:
            self._words.remove_widget(self._detail)
        elif self.detail and self._detail.parent is None:
            self._words.add_widget(self._detail, index=1)
        resting = "primary-pale" if self.chosen else "card"
        self.fill = "shade" if self.pressed else resting
        self.edge = "primary" if self.chosen else "line"
        self.opacity = 1.0 if self.enabled else 0.45
        self.radius = skin.px(28 if self.tile > 90 else 22)


class PushButton(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A button: an icon, a word and, if needed, one line below. Kinds: primary, plain, quiet, danger."""

    icon = StringProperty("")
    detail = StringProperty("")
    kind = StringProperty("plain")
    accent = StringProperty("")
    role = StringProperty("heading")
    centered = BooleanProperty(True)

    _LOOKS: ClassVar[dict[str, tuple[str, str, str, str, str]]] = {
        # kind: (fill, pressed fill, edge, text, detail)
        "primary": ("primary", "primary-press", "", "card", "card"),
        "plain": ("card", "primary-pale", "primary", "primary", "muted"),
        "quiet": ("card", "shade", "line", "ink", "muted"),
        "danger": ("card", "clay-pale", "clay", "clay", "muted"),
        "off": ("paper", "paper", "line", "muted", "muted"),
        "chosen": ("primary-pale", "primary-pale", "primary", "ink", "muted"),
    }

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(size_hint_x=None)
        self._name = Words(weight="bold", grow=True)
        self._detail = Words(role="small", grow=True)
        self._words = BoxLayout(orientation="vertical")
        super().__init__(**kwargs)
        self.spacing = skin.px(18)
        self.padding = (skin.px(26), skin.px(10))
        self.add_widget(self._icon)
        for part in (Widget(), self._name, Widget()):
            self._words.add_widget(part)
        self.add_widget(self._words)
        for name in (
            "icon",
            "text",
            "detail",
            "kind",
            "role",
            "pressed",
            "enabled",
            "size",
            "centered",
        ):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        look = self._LOOKS["off" if not self.enabled else self.kind]
        self.fill = look[1] if self.pressed else look[0]
        self.edge, self.edge_width = look[2], 3 if self.kind in {"plain", "danger", "chosen"} else 2
        self.radius = skin.px(22)
        self._name.text, self._name.role, self._name.tone = self.text, self.role, look[3]
        tinted = self.accent and self.enabled and self.kind == "quiet"
        self._icon.name = self.icon
        self._icon.tone = skin.accent_stroke(self.accent) if tinted else look[3]
        self._icon.dots = skin.px(44 if self.detail else 36)
        self._icon.width = self._icon.dots if self.icon else 0
        self._detail.text, self._detail.tone = self.detail, look[4]
        self._arrange()

    def _arrange(self) -> None:
        if self.detail and self._detail.parent is None:
            self._words.add_widget(self._detail, index=1)
        elif not self.detail and self._detail.parent is not None:
            self._words.remove_widget(self._detail)
        one_line = self.detail == ""
        inside = max(1, self.height - 2 * skin.px(10))
        self._detail.limit = inside * 0.55
        self._name.limit = inside if one_line else inside * 0.6
        self.spacing = skin.px(18) if self.icon else 0
        if one_line and self.centered:
            self._name.halign = "left" if self.icon else "center"
            self._center_pair()
        else:
            self._name.halign = "left"

    def _center_pair(self) -> None:
        """Icon and word stand together in the middle, as one thing."""
        side = skin.px(26)
        if self.icon:
            content = self._icon.width + self.spacing + self._text_width()
            side = max(skin.px(18), (self.width - content) / 2 - 2)
        self.padding = (side, skin.px(10))

    def _text_width(self) -> float:
        from kivy.core.text import Label as CoreLabel

        pen = CoreLabel(font_name=skin.font("bold", self.text), font_size=skin.size(self.role))
        return float(pen.get_extents(self.text)[0]) + 2


class PageButton(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A square button: an icon with its word below."""

    icon = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(dots=skin.px(34))
        self._name = Words(role="caption", weight="semibold", halign="center", grow=True)
        super().__init__(orientation="vertical", **kwargs)
        self.radius, self.padding = skin.px(18), (0, skin.px(8))
        self.add_widget(self._icon)
        self.add_widget(self._name)
        for name in ("icon", "text", "pressed", "enabled"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._icon.name, self._name.text = self.icon, self.text
        self._icon.tone = self._name.tone = "ink" if self.enabled else "muted"
        self.fill = "shade" if self.pressed else "card" if self.enabled else "paper"


class ResultRow(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One line of a list: an icon, a name, what it is, and a value or an arrow at the right."""

    icon = StringProperty("")
    accent = StringProperty("sea")
    detail = StringProperty("")
    value = StringProperty("")
    index = NumericProperty(0)
    padding_x = ListProperty([20, 20])

    def __init__(self, **kwargs: Any) -> None:
        self._tile = IconTile(size_hint=(None, None), pos_hint={"center_y": 0.5})
        self._name = Words(weight="semibold", role="small", grow=True)
        self._detail = Words(tone="muted", role="caption", grow=True)
        self._value = Words(weight="semibold", role="small", hug=True, tone="muted")
        self._words = BoxLayout(orientation="vertical")
        super().__init__(**kwargs)
        for part in (Widget(), self._name, self._detail, Widget()):
            self._words.add_widget(part)
        arrow = Icon(name="chevron-right", tone="muted", dots=skin.px(30), size_hint_x=None)
        arrow.width = skin.px(30)
        for part in (self._tile, self._words, self._value, arrow):
            self.add_widget(part)
        self.spacing = skin.px(16)
        self.padding = (skin.px(18), skin.px(8))
        for name in ("icon", "accent", "text", "detail", "value", "pressed", "size"):
            self.fbind(name, self._dress)
        self._words.fbind("width", self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        side = min(skin.px(56), max(1, self.height - skin.px(20))) if self.icon else 0
        self._tile.size, self._tile.opacity = (side, side), 1 if self.icon else 0
        self._tile.icon, self._tile.accent = self.icon, self.accent
        # One size for all rows: a name too long for two lines is whole on its own card.
        room = max(1, self._words.width)
        self._name.text = clip_to_lines(self.text, "semibold", "small", room, 2)
        self._detail.text = clip_to_lines(self.detail, "regular", "caption", room, 1)
        self._value.text = self.value
        self.fill = "shade" if self.pressed else "card"
        self.radius = skin.px(18)


class BarButton(Target, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A place in the bottom bar. Its touchable part stops short of its neighbours."""

    icon = StringProperty("")
    tone = StringProperty("ink")

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(dots=skin.px(34), size_hint_x=None, width=skin.px(34))
        self._name = Words(weight="semibold", role="body", hug=True)
        super().__init__(orientation=skin.flow(), **kwargs)
        self.spacing = skin.px(skin.pick(16, 6))
        if skin.is_tall():
            self._icon.size_hint, self._icon.height = (1, None), skin.px(36)
            self._name.size_hint_y, self._name.pos_hint = None, {"center_x": 0.5}
        for part in (Widget(), self._icon, self._name, Widget()):
            self.add_widget(part)
        for name in ("icon", "text", "tone", "pressed", "enabled"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._icon.name, self._name.text = self.icon, self.text
        self._icon.tone = self._name.tone = "muted" if self.pressed else self.tone
        self.opacity = 1.0 if self.enabled else 0.45
