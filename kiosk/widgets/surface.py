"""Grounds: rounded cards with a quiet border, in theme colours."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, InstructionGroup, Line, Rectangle, SmoothRoundedRectangle
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.dashes import dashes

DASH_WIDTH, DASH, GAP = 3, 10, 6


class Ground(Widget):  # type: ignore[misc]  # kivy has no type information
    """Draws a rounded rectangle behind itself. Mix into a layout.

    `fill` and `edge` are colour names; an empty name draws nothing. `dashed` is for paper-like tickets.
    """

    fill = StringProperty("card")
    edge = StringProperty("line")
    edge_width = NumericProperty(2)
    radius = NumericProperty(24)
    dashed = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.canvas.before:
            self._edge_color = Color(0, 0, 0, 0)
            self._edge_shape = SmoothRoundedRectangle(segments=20)
            self._fill_color = Color(0, 0, 0, 0)
            self._fill_shape = SmoothRoundedRectangle(segments=20)
            self._dashes = InstructionGroup()
        self._paint_soon = Clock.create_trigger(self._paint, -1)
        for name in ("pos", "size", "fill", "edge", "edge_width", "radius", "dashed"):
            self.fbind(name, self._paint_soon)
        self._paint_soon()

    def _paint(self, *_: Any) -> None:
        clear = (0, 0, 0, 0)
        radius = max(1, min(self.radius, self.width / 2, self.height / 2))
        inset = self.edge_width if self.edge and not self.dashed else 0
        self._edge_color.rgba = skin.color(self.edge) if inset else clear
        self._edge_shape.pos, self._edge_shape.size = self.pos, self.size
        self._edge_shape.radius = [radius]
        self._fill_color.rgba = skin.color(self.fill) if self.fill else clear
        self._fill_shape.pos = (self.x + inset, self.y + inset)
        self._fill_shape.size = (max(0, self.width - 2 * inset), max(0, self.height - 2 * inset))
        self._fill_shape.radius = [max(1, radius - inset)]
        if self.dashed:
            self._paint_dashes(radius)

    def _paint_dashes(self, radius: float) -> None:
        half = DASH_WIDTH / 2
        across, high = self.width - DASH_WIDTH, self.height - DASH_WIDTH
        found = dashes(self.x + half, self.y + half, across, high, radius - half, DASH, GAP)
        self._dashes.clear()
        self._dashes.add(Color(rgba=skin.color("muted")))
        for points in found:
            self._dashes.add(Line(points=points, width=half, cap="none"))


class Card(Ground, BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A white card that lays out its children."""


class Room(Widget):  # type: ignore[misc]  # kivy has no type information
    """What a tall screen leaves free between what it tells and what it asks; no other screen has one."""


class Bar(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """A plain full-width ground with a line along its top or bottom."""

    fill = StringProperty("card")
    line_at = StringProperty("top")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.canvas.before:
            self._fill_color = Color(rgba=skin.color(self.fill))
            self._fill_rect = Rectangle()
            self._line_color = Color(rgba=skin.color("line"))
            self._line_rect = Rectangle()
        for name in ("pos", "size", "fill", "line_at"):
            self.fbind(name, self._paint)
        self._paint()

    def _paint(self, *_: Any) -> None:
        self._fill_color.rgba = skin.color(self.fill)
        self._fill_rect.pos, self._fill_rect.size = self.pos, self.size
        y = self.top - 2 if self.line_at == "top" else self.y
        self._line_rect.pos, self._line_rect.size = (self.x, y), (self.width, 2)
