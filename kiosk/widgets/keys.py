"""Keypad and keyboard: rows of large keys, drawn from what the presenter says each key is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.surface import Ground
from kiosk.widgets.text import Icon, Words
from kiosk.widgets.touch import Target


class KeyLike(Protocol):
    """What a key must tell: its id, its sign, and whether it is wide."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def speech(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def icon(self) -> str: ...
    @property
    def wide(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A key of the keyboard itself: it changes which keys are drawn and types nothing."""

    id: str
    label: str
    speech: str
    enabled: bool = True
    icon: str = ""
    wide: bool = False


SWAP = "keyboard.swap"
Rows = Sequence[Sequence[KeyLike]]


def four_rows(keys: Rows, digits: bool) -> Rows:
    """Five rows of 15 mm keys leave no room for what is typed: digits and the top letters take turns.

    A last row of one key joins the row above it when there is room.
    """
    rows = list(keys)
    if len(rows) >= 2 and len(rows[-1]) == 1 and len(rows[-2]) <= 8:
        rows = [*rows[:-2], [*rows[-2], *rows[-1]]]
    if len(rows) <= 4:
        return rows
    swap = LocalKey(SWAP, "abc" if digits else "123", "abc" if digits else "123")
    top = rows[0] if digits else rows[1]
    return [top, *rows[2:-1], [swap, *rows[-1]]]


class KeyCap(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One key. Keys repeat faster than other targets: the same letter may be wanted twice."""

    icon = StringProperty("")
    role = StringProperty("heading")
    strong = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon()
        self._sign = Words(weight="semibold", halign="center")
        self._left, self._right = Widget(), Widget()
        super().__init__(**kwargs)
        self.refractory_s = 0.12
        self.padding = skin.px(4)
        for name in ("icon", "text", "pressed", "enabled", "role", "strong"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.fill = "primary" if self.pressed else "shade" if self.strong else "card"
        tone = "card" if self.pressed else "ink" if self.enabled else "muted"
        self.edge = "line" if self.enabled else ""
        self.fill = self.fill if self.enabled else "paper"
        self.radius = skin.px(16)
        self._icon.name, self._icon.tone, self._icon.dots = self.icon, tone, skin.px(34)
        self._sign.text, self._sign.tone, self._sign.role = self.text, tone, self.role
        self.orientation = "horizontal" if self.strong else "vertical"
        if self.icon:
            self._sign.role = "small" if self.strong else "caption"
            self._sign.size_hint_x = None if self.strong else 1
            self._sign.hug = self.strong
            self._icon.size_hint_x = None if self.strong else 1
            self._icon.width = skin.px(44)
        parts: tuple[Any, ...] = (self._icon, self._sign) if self.icon else (self._sign,)
        if self.icon and self.strong:
            parts = (self._left, *parts, self._right)
        if tuple(reversed(self.children)) != parts:
            self.clear_widgets()
            for part in parts:
                self.add_widget(part)


class KeyBoard(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Rows of keys, kept as wide and as far apart as fingers need. `keys` is replaced by `show`.

    Widgets are kept while the shape (ids) stays the same: typing never rebuilds the keyboard.
    """

    key_height = NumericProperty(0)
    sign_role = StringProperty("heading")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", **kwargs)
        self.spacing = skin.gap()
        self.press: Callable[[str], None] = lambda _: None
        self._digits = False
        self._keys: Rows = ()
        self._shape: tuple[tuple[str, ...], ...] = ()
        self._caps: list[KeyCap] = []

    @property
    def rows_height(self) -> float:
        """Height that the rows of the present keys take."""
        rows = len(self._shape)
        return rows * (self.key_height or skin.target()) + max(rows - 1, 0) * skin.gap()

    def show(self, keys: Sequence[Sequence[KeyLike]]) -> None:
        """Draw these keys."""
        self._keys = keys
        self._draw(four_rows(keys, self._digits))

    def _draw(self, keys: Rows) -> None:
        shape = tuple(tuple(f"{k.id}{k.wide}" for k in row) for row in keys)
        if shape != self._shape:
            self._shape = shape
            self._build(keys)
        for cap, key in zip(self._caps, (k for row in keys for k in row), strict=True):
            cap.key, cap.text, cap.icon = key.id, key.label, key.icon
            cap.speech, cap.enabled, cap.strong = key.speech, key.enabled, key.wide
            cap.role = "body" if len(key.label) > 2 else self.sign_role

    def _build(self, keys: Sequence[Sequence[KeyLike]]) -> None:
        self.clear_widgets()
        self._caps = []
        units = max((sum(1 + 0.6 * k.wide for k in row) for row in keys), default=1)
        for row in keys:
            line = BoxLayout(spacing=skin.gap())
            wide = sum(k.wide for k in row)
            unit = max(1.6, (units - len(row) + wide) / wide) if wide else 1.0
            side = max(units - len(row), 0) / 2 if not wide else 0
            if side > 0.05:
                line.add_widget(Widget(size_hint_x=side))
            for key in row:
                # Wide keys share what single keys leave; gaps are counted in with the spacing.
                cap = KeyCap(size_hint_x=unit if key.wide else 1.0)
                cap.fbind("on_act", partial(self._act, cap))
                self._caps.append(cap)
                line.add_widget(cap)
            if side > 0.05:
                line.add_widget(Widget(size_hint_x=side))
            self.add_widget(line)

    def _act(self, cap: KeyCap, *_: Any) -> None:
        if cap.key == SWAP:
            self._digits = not self._digits
            self.show(self._keys)
        else:
            self.press(cap.key)
