"""Things that say something: notices, tickets with a folio, fields, summaries and QR codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.surface import Card, Ground
from kiosk.widgets.text import Icon, Words
from kiosk.widgets.touch import Target


class NoticeBox(Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One sentence that must be seen, on its accent's ground; as tall as its words."""

    icon = StringProperty("info")
    text = StringProperty("")
    accent = StringProperty("sea")
    role = StringProperty("small")

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(dots=skin.px(30), size_hint_x=None, width=skin.px(30))
        self._words = Words(grow=True, pos_hint={"center_y": 0.5})
        super().__init__(**kwargs)
        self.size_hint_y = None
        self.edge, self.radius = "", skin.px(18)
        self.padding, self.spacing = (skin.px(20), skin.px(12)), skin.px(14)
        self.add_widget(self._icon)
        self.add_widget(self._words)
        self._words.fbind("height", self._measure)
        for name in ("icon", "text", "accent", "role"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        accent = "sea" if self.accent == "plain" else self.accent
        self.fill = skin.accent_ground(accent)
        self._icon.name, self._icon.tone = self.icon, accent
        self._words.text, self._words.role = self.text, self.role
        self._measure()

    def _measure(self, *_: Any) -> None:
        self.height = max(self._words.height, skin.px(30)) + 2 * skin.px(12) if self.text else 0
        self.opacity = 1 if self.text else 0


class Ticket(Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A folio on a dashed slip, as large as one wants to copy it from."""

    label = StringProperty("")
    text = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self._label = Words(role="caption", tone="muted", halign="center", grow=True)
        self._words = Words(role="title", weight="figures-bold", halign="center")
        super().__init__(orientation="vertical", **kwargs)
        self.dashed, self.radius = True, skin.px(20)
        self.padding = (skin.px(24), skin.px(12))
        self.add_widget(self._label)
        self.add_widget(self._words)
        self.fbind("text", self._dress)
        self.fbind("label", self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self._words.text, self._label.text = self.text, self.label
        self._label.opacity = 1 if self.label else 0


class Field(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A text field: its label, what is typed and a caret where the next letter goes."""

    icon = StringProperty("")
    label = StringProperty("")
    label_tone = StringProperty("muted")
    hint = StringProperty("")
    value = StringProperty("")
    active = BooleanProperty(False)
    role = StringProperty("body")

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon(dots=skin.px(30), tone="muted", size_hint_x=None, width=0)
        self._label = Words(role=skin.pick("caption", "small"), tone="muted", size_hint_y=None)
        self._line = Words(role="body")
        self._words = BoxLayout(orientation="vertical")
        super().__init__(**kwargs)
        self.padding, self.spacing = (skin.px(22), skin.px(8)), skin.px(14)
        self.radius = skin.px(18)
        self._words.add_widget(self._label)
        self._words.add_widget(self._line)
        self.add_widget(self._icon)
        self.add_widget(self._words)
        for name in ("icon", "label", "label_tone", "hint", "value", "active", "role", "size"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.edge = "primary" if self.active else "line"
        self.edge_width = 3 if self.active else 2
        self._icon.name, self._icon.width = self.icon, skin.px(30) if self.icon else 0
        self._label.text, self._label.tone = self.label, self.label_tone
        self._label.height = skin.size(self._label.role) * 1.5 if self.label else 0
        self._line.role = self.role
        caret = "|" if self.active else ""
        self._line.tone = "ink" if self.value or (self.active and not self.hint) else "muted"
        shown = self.value + caret if self.value else (caret + self.hint)
        # A long text shows its end, where the caret is.
        self._line.text = shown if len(shown) <= 160 else "…" + shown[-150:]
        self.text = self.value or self.hint


class Pairs(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Labels and values, one pair under another; as tall as its words."""

    label_share = NumericProperty(0.34)
    role = StringProperty("small")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", size_hint_y=None, **kwargs)
        self.spacing = skin.px(10)
        self.bind(minimum_height=self.setter("height"))

    def show(self, pairs: Sequence[tuple[str, str, bool]]) -> None:
        """Draw (label, value, strong) triples."""
        self.clear_widgets()
        for label, value, strong in pairs:
            line = BoxLayout(size_hint_y=None, spacing=skin.px(16))
            left = Words(text=label, role=self.role, tone="muted", grow=True, valign="top")
            left.size_hint_x, left.pos_hint = self.label_share, {"top": 1}
            weight = "figures-bold" if strong else "figures"
            right = Words(text=value, role=self.role, weight=weight, grow=True, valign="top")
            right.size_hint_x, right.pos_hint = 1 - self.label_share, {"top": 1}
            for words in (left, right):
                line.add_widget(words)
                words.fbind("height", _tallest, line)
            self.add_widget(line)
            _tallest(line)


def _tallest(line: Any, *_: Any) -> None:
    line.height = max(child.height for child in line.children)


class QrCode(Widget):  # type: ignore[misc]  # kivy has no type information
    """A QR code drawn from its modules, with the quiet zone its standard asks for (ISO/IEC 18004)."""

    content = StringProperty("")
    QUIET = 4

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.canvas:
            self._color = Color(0, 0, 0, 0)
            self._rect = Rectangle()
        self._draw_soon = Clock.create_trigger(self._draw, -1)
        self.fbind("content", self._draw_soon)
        self.fbind("pos", self._place)
        self.fbind("size", self._place)
        self._draw_soon()

    def _draw(self, *_: Any) -> None:
        self._color.rgba = (1, 1, 1, 1) if self.content else (0, 0, 0, 0)
        self._modules = 0
        if self.content:
            matrix = _matrix(self.content, self.QUIET)
            self._modules = len(matrix)
            self._rect.texture = _module_texture(matrix)
        self._place()

    def _place(self, *_: Any) -> None:
        modules = getattr(self, "_modules", 0)
        if modules:
            side = modules * max(1, int(min(self.size) // modules))
            self._rect.size = (side, side)
            self._rect.pos = (
                round(self.x + (self.width - side) / 2),
                round(self.y + (self.height - side) / 2),
            )


def _matrix(content: str, quiet: int) -> list[list[bool]]:
    import qrcode

    code = qrcode.QRCode(border=quiet, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(content)
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    return matrix


def _module_texture(matrix: list[list[bool]]) -> Any:
    from kivy.graphics.texture import Texture

    side = len(matrix)
    texture = Texture.create(size=(side, side), colorfmt="luminance", mipmap=False)
    texture.mag_filter = texture.min_filter = "nearest"
    data = bytes(0 if cell else 255 for row in reversed(matrix) for cell in row)
    texture.blit_buffer(data, colorfmt="luminance", bufferfmt="ubyte")
    return texture


__all__ = ["Card", "Field", "NoticeBox", "Pairs", "QrCode", "Ticket"]
