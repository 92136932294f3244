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
SPACE = "key.space"
Rows = Sequence[Sequence[KeyLike]]


def compact_rows(keys: Rows, digits: bool) -> Rows:
    """The rows as they are drawn, of at most eleven keys: what is typed needs the room above.

    A keyboard for running text (it has a space key) takes three rows: digits with signs, and letters,
    take turns. Any other keyboard keeps its rows; a last row of one key joins the row above it.
    """
    rows = list(keys)
    if any(key.id == SPACE for key in rows[-1]) if rows else False:
        return _text_rows(rows, digits)
    if len(rows) >= 2 and len(rows[-1]) == 1 and len(rows[-2]) <= 8:
        rows = [*rows[:-2], [*rows[-2], *rows[-1]]]
    return rows


def _text_rows(rows: Rows, digits: bool) -> Rows:
    """Digits, three rows of letters, signs and the last row, as two faces of one keyboard."""
    numbers, top, middle, bottom, signs, last = rows
    accent, space, erase, *done = last
    swap = LocalKey(SWAP, "abc" if digits else "123", "abc" if digits else "123")
    if digits:
        return ((*numbers, erase), tuple(signs), (swap, space, *done))
    return ((*top, erase), (*middle, accent), (swap, *bottom, space, *done))


class KeyCap(Target, Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One key. Keys repeat faster than other targets: the same letter may be wanted twice."""

    icon = StringProperty("")
    role = StringProperty("heading")
    strong = BooleanProperty(False)
    units = NumericProperty(1)

    def __init__(self, **kwargs: Any) -> None:
        self._icon = Icon()
        self._sign = Words(weight="semibold", halign="center")
        self._left, self._right = Widget(), Widget()
        super().__init__(**kwargs)
        self.refractory_s = 0.12
        self.padding = [skin.px(4)] * 4
        for name in ("icon", "text", "pressed", "enabled", "role", "strong"):
            self.fbind(name, self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.fill = "primary" if self.pressed else "shade" if self.strong else "card"
        tone = "card" if self.pressed else "ink" if self.enabled else "muted"
        self.edge = "line"
        self.fill = self.fill if self.enabled else "paper"
        self.radius = skin.px(16)
        self._icon.name, self._icon.tone, self._icon.dots = self.icon, tone, skin.px(34)
        self._sign.text, self._sign.tone, self._sign.role = self.text, tone, self.role
        self.orientation = "horizontal" if self.strong else "vertical"
        self.spacing = skin.px(8) if self.strong else 0
        tall = skin.px(12) if self.icon and not self.strong else skin.px(4)
        self.padding = [skin.px(4), tall, skin.px(4), tall]
        if self.icon:
            self._sign.role = "body" if self.strong else "caption"
            self._sign.size_hint_x = None if self.strong else 1
            self._sign.hug = self.strong
            self._icon.size_hint_x = None if self.strong else 1
            self._icon.width = skin.px(36)
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
        self.key_height = max(skin.target(), skin.px(88))
        self._shape: tuple[tuple[str, ...], ...] = ()
        self._caps: list[KeyCap] = []
        self._units = 1
        self.fbind("width", self._measure)

    @property
    def rows_height(self) -> float:
        """Height that the rows of the present keys take."""
        rows = len(self._shape)
        return float(rows * self.key_height + max(rows - 1, 0) * skin.gap())

    def show(self, keys: Sequence[Sequence[KeyLike]]) -> None:
        """Draw these keys."""
        self._keys = keys
        self._draw(compact_rows(keys, self._digits))

    def _draw(self, keys: Rows) -> None:
        shape = tuple(tuple(f"{k.id}{k.wide}" for k in row) for row in keys)
        if shape != self._shape:
            self._shape = shape
            self._build(keys)
        for cap, key in zip(self._caps, (k for row in keys for k in row), strict=True):
            cap.key, cap.text, cap.icon = key.id, key.label, key.icon
            cap.speech, cap.enabled, cap.strong = key.speech, key.enabled, key.wide
            cap.role = "body" if len(key.label) > 2 else self.sign_role

    def _build(self, keys: Rows) -> None:
        self.clear_widgets()
        self._caps = []
        self._units = max((len(row) + sum(k.wide for k in row) for row in keys), default=1)
        for row in keys:
            line = BoxLayout(spacing=skin.gap())
            left = self._units - len(row)
            wide = any(k.wide for k in row)
            if left and not wide:
                line.add_widget(Widget())
            for key in row:
                cap = KeyCap(size_hint_x=None)
                # A wide key takes what single keys leave, so that columns stay in line.
                cap.units = left + 1 if key.wide else 1
                cap.fbind("on_act", partial(self._act, cap))
                self._caps.append(cap)
                line.add_widget(cap)
            if left and not wide:
                line.add_widget(Widget())
            self.add_widget(line)
        self._measure()

    def _measure(self, *_: Any) -> None:
        gap = skin.gap()
        unit = (self.width - (self._units - 1) * gap) / self._units
        for cap in self._caps:
            cap.width = cap.units * unit + (cap.units - 1) * gap

    def _act(self, cap: KeyCap, *_: Any) -> None:
        if cap.key == SWAP:
            self._digits = not self._digits
            self.show(self._keys)
        else:
            self.press(cap.key)
