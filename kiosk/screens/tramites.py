"""Trámites: search as you type, life events, most consulted; the list is a RecycleView."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recyclegridlayout import RecycleGridLayout
from kivy.uix.recycleview import RecycleView

from kiosk.presenters.base import View
from kiosk.presenters.views import TramiteRow, TramitesView
from kiosk.screens.base import (
    Chrome,
    Press,
    ScreenBody,
    accent_of,
    dress_button,
    fill_buttons,
    forward,
    is_low,
)
from kiosk.widgets import skin
from kiosk.widgets.buttons import PushButton, ResultRow
from kiosk.widgets.scroll import Pager, dress_bar


class RecycledRow(ResultRow):
    """A result row that a RecycleView uses again and again."""

    press: Any = None

    def refresh_view_attrs(self, rv: Any, index: int, data: dict[str, Any]) -> None:
        for name, value in data.items():
            setattr(self, name, value)

    def refresh_view_layout(self, rv: Any, index: int, layout: Any, viewport: Any) -> None:
        for name, value in layout.items():
            setattr(self, name, value)

    def apply_selection(self, *_: Any) -> None:
        """Rows are pressed, not selected."""

    def on_act(self) -> None:
        if self.press is not None:
            self.press(self.key)


class ResultGrid(RecycleView):  # type: ignore[misc]  # kivy has no type information
    """A grid of result rows; only those that are visible exist."""

    def __init__(self, press: Press, columns: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._press = press
        dress_bar(self)
        self.least = max(
            skin.target(),
            skin.px(skin.pick(104, 92)),
            round(skin.size("small") * skin.pick(4.6, 4.15)),
        )
        grid = RecycleGridLayout(cols=columns, spacing=skin.gap(), size_hint_y=None)
        grid.default_size, grid.default_size_hint = (None, self.least), (1, None)
        grid.bind(minimum_height=grid.setter("height"))
        self.add_widget(grid)
        self.viewclass = RecycledRow
        self.rows: tuple[TramiteRow, ...] = ()
        self._grid = grid

    def held_by(self, pager: Pager) -> None:
        """Stand in a pager that moves by whole rows."""
        pager.hold_view(self)
        pager.snap(self.least, lambda: -(-len(self.rows) // self._grid.cols), self._set_row)

    def _set_row(self, height: float) -> None:
        if abs(self._grid.default_size[1] - height) > 0.5:
            self._grid.default_size = (None, height)
            self.refresh_from_layout()

    def show(self, rows: tuple[TramiteRow, ...]) -> None:
        if rows != self.rows:
            self.rows = rows
            self.data = [
                {"key": r.id, "text": r.name, "detail": _second_line(r), "press": self._press}
                for r in rows
            ]
            self.scroll_y = 1


def _second_line(row: TramiteRow) -> str:
    return " · ".join(part for part in (row.cost, row.dependency) if part)


class TramitesBody(ScreenBody):
    """With the keyboard open the results share the space above it; without it they have it all."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        forward(self.ids.search, press)
        self.ids.keyboard.press = press
        self._clear = PushButton(kind="quiet", size_hint_x=None, width=skin.px(230))
        forward(self._clear, press)
        self._lists: dict[int, tuple[Pager, ResultGrid]] = {}
        self._open: bool | None = None

    def chrome(self, view: View) -> Chrome:
        is_open = isinstance(view, TramitesView) and view.keyboard_open
        return Chrome(header=not is_open, title=not is_open and not is_low())

    def show(self, view: TramitesView) -> None:
        ids = self.ids
        ids.search.value, ids.search.hint = view.query, view.query_hint
        ids.search.active = view.keyboard_open
        self._show_clear(view)
        if view.keyboard_open != self._open:
            self._open = view.keyboard_open
            self._arrange(view.keyboard_open)
        if view.keyboard_open:
            ids.keyboard.show(view.keyboard)
            ids.keyboard.height = ids.keyboard.rows_height
        else:
            fill_buttons(
                ids.categories,
                view.categories,
                self.press,
                height=max(skin.target(), skin.px(skin.pick(0, 70))),
                **_CATEGORY,
            )
            for button, action in zip(
                reversed(ids.categories.children), view.categories, strict=True
            ):
                button.kind = "chosen" if action.selected else "quiet"
                button.accent = accent_of(action.tone)
        ids.heading.text = view.heading
        ids.empty.text = "" if view.results else view.empty_text
        ids.empty.height = skin.px(120) if ids.empty.text else 0
        self._grid(view.keyboard_open).show(view.results)

    def _show_clear(self, view: TramitesView) -> None:
        row = self.ids.search_row
        if view.clear is not None:
            dress_button(self._clear, view.clear)
            self._clear.kind = "quiet"
            if self._clear.parent is None:
                row.add_widget(self._clear)
        elif self._clear.parent is not None:
            row.remove_widget(self._clear)

    def _grid(self, is_open: bool) -> ResultGrid:
        return self._lists[self._columns(is_open)][1]

    def _columns(self, is_open: bool) -> int:
        return 2 if is_open or skin.is_tall() else 1

    def _arrange(self, is_open: bool) -> None:
        ids, columns = self.ids, self._columns(is_open)
        if columns not in self._lists:
            pager, grid = Pager(key="tramites.page"), ResultGrid(self.press, columns)
            grid.held_by(pager)
            self._lists[columns] = (pager, grid)
        ids.results.clear_widgets()
        ids.results.add_widget(self._lists[columns][0])
        self.padding = (0, 0, 0, skin.gap() if is_open else skin.pick(skin.px(20), skin.gap()))
        ids.keyboard.opacity = 1 if is_open else 0
        if not is_open:
            ids.keyboard.show(())
            ids.keyboard.height = 0
        self._place(ids.categories, ids.browse, not is_open)
        self._place(ids.heading, ids.results_column, not is_open)
        drawn = skin.pick(0, 64) if is_open else skin.pick(88, 70)
        ids.search_row.height = max(skin.target(), skin.px(drawn))
        ids.search.enabled = not is_open

    def _place(self, part: Any, box: BoxLayout, wanted: bool) -> None:
        if wanted and part.parent is None:
            box.add_widget(part, index=len(box.children))
        elif not wanted and part.parent is not None:
            box.remove_widget(part)


_CATEGORY = {"kind": "quiet", "role": "small", "centered": False}
