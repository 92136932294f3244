"""Long things: a scroll view that also moves by two large buttons, since nobody must have to drag."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.effects.scroll import ScrollEffect
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from kiosk.widgets import skin
from kiosk.widgets.buttons import PageButton
from kiosk.widgets.text import Words


def dress_bar(view: Any) -> None:
    """No bounce, and a bar that can be seen but not grabbed by accident."""
    view.effect_cls = ScrollEffect
    view.do_scroll_x = False
    view.scroll_type = ["content"]
    view.bar_width, view.bar_margin = skin.px(6), 0
    view.bar_color, view.bar_inactive_color = skin.color("muted"), skin.color("line")


class Viewport(ScrollView):  # type: ignore[misc]  # kivy has no type information
    """A scroll view without bounce, whose bar can be seen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dress_bar(self)


class Pager(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Content with an up and a down button, there only when the content is longer.

    They stand at its right, or `below` it: on a portrait screen everybody must reach them.
    `content` is the one widget inside (a layout that grows, or a RecycleView's place is taken by it).
    """

    key = StringProperty("")
    below = BooleanProperty(False)
    content = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: Any) -> None:
        self.viewport: Any = Viewport()
        _ = skin.translate
        self._up = PageButton(icon="chevron-up", text=_("Subir"))
        self._down = PageButton(icon="chevron-down", text=_("Bajar"))
        self._side = BoxLayout()
        self._wraps = False
        self._rows: tuple[float, Callable[[], int], Callable[[float], None]] | None = None
        self._page = 0.0
        self._gap = Widget()
        self._place = Words(role="caption", tone="muted", halign="center")
        super().__init__(**kwargs)
        self.spacing = skin.gap()
        self._side.spacing = skin.gap()
        self._side.size = (skin.target(), max(skin.target(), skin.px(84)))
        for button, step in ((self._up, 1), (self._down, -1)):
            button.size = (skin.target(), skin.target())
            button.fbind("on_act", self._move, step)
        super().add_widget(self.viewport)
        self._look_soon = Clock.create_trigger(self._look, 0)
        self.viewport.fbind("size", self._look_soon)
        self.viewport.fbind("scroll_y", self._look_soon)
        self.fbind("key", self._look_soon)
        self.fbind("below", self._turn)
        self._turn()

    def _turn(self, *_: Any) -> None:
        """A column of two square buttons at the right, or a row of two wide ones below."""
        self.orientation = "vertical" if self.below else "horizontal"
        self._side.orientation = "horizontal" if self.below else "vertical"
        self._side.size_hint = (1, None) if self.below else (None, 1)
        for button in (self._up, self._down):
            button.size_hint = (1, 1) if self.below else (None, None)

    def hold(self, content: Any) -> None:
        """Put the content in; its height must follow what it holds."""
        self.viewport.clear_widgets()
        self.viewport.add_widget(content)
        self.content = content
        content.fbind("height", self._look_soon)
        self._look_soon()

    def hold_view(self, view: Any) -> None:
        """Use a view that scrolls by itself (a RecycleView) in place of ours."""
        super().remove_widget(self.viewport)
        self.viewport = view
        super().add_widget(view, index=len(self.children))
        view.fbind("size", self._look_soon)
        view.fbind("scroll_y", self._look_soon)
        if view.children:
            view.children[0].fbind("height", self._look_soon)
        self._look_soon()

    def snap(
        self, least: float, count: Callable[[], int], set_height: Callable[[float], None]
    ) -> None:
        """Move by whole rows: `set_height` is told how high a row is so that none is cut.

        `least` is the least height of a row, `count` how many rows there are; rows stand `skin.gap` apart.
        """
        self._rows = (least, count, set_height)
        self._look_soon()

    def _fit_rows(self) -> None:
        if self._rows is None or self.viewport.height < 1:
            return
        least, count, set_height = self._rows
        self.viewport.bar_width = 0
        room, gap = self.viewport.height, skin.gap()
        whole = max(1, int((room + gap) // (least + gap)))
        height = least if count() <= whole else (room - (whole - 1) * gap) / whole
        self._page = whole * (height + gap)
        set_height(height)
        pages = -(-count() // whole)
        gone = self._overflow() * (1 - self.viewport.scroll_y) / self._page
        _ = skin.translate
        page = min(pages, math.ceil(gone - 0.01) + 1)
        self._place.text = _("{page} de {pages}").format(page=page, pages=pages)

    def to_top(self) -> None:
        self.viewport.scroll_y = 1

    def _overflow(self) -> float:
        inside = self.viewport.children[0].height if self.viewport.children else 0
        return float(inside - self.viewport.height)

    def _look(self, *_: Any) -> None:
        self._up.key, self._down.key = f"{self.key}.up", f"{self.key}.down"
        self._fit_rows()
        is_empty = self._rows is not None and self._rows[1]() == 0
        needed = self._overflow() > 2 and self.height >= skin.target() - 1 and not is_empty
        if needed and self._side.parent is None:
            super().add_widget(self._side)
        elif not needed and self._side.parent is not None:
            super().remove_widget(self._side)
        self._arrange_side(not self.below and self.height < 2 * (skin.target() + skin.gap()))
        self._up.enabled = self.viewport.scroll_y < 0.999
        self._down.enabled = self._wraps or self.viewport.scroll_y > 0.001

    def _arrange_side(self, low: bool) -> None:
        """Where two buttons have no room, one goes down and from the end back to the top."""
        self._wraps = low
        spare = self.height - 2 * (skin.target() + skin.gap())
        room = self.below or spare > skin.size("caption") * 1.5
        middle = self._place if room else self._gap
        parts = (self._down, self._gap) if low else (self._up, middle, self._down)
        if tuple(reversed(self._side.children)) != parts:
            self._side.clear_widgets()
            for part in parts:
                self._side.add_widget(part)

    def _move(self, step: int, *_: Any) -> None:
        overflow = self._overflow()
        if self._wraps and step < 0 and self.viewport.scroll_y <= 0.001:
            self.viewport.scroll_y = 1
        elif overflow > 0:
            page = (self._page or self.viewport.height * 0.8) / overflow
            self.viewport.scroll_y = min(1.0, max(0.0, self.viewport.scroll_y + step * page))
