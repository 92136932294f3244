"""The technician's place: a PIN on a keypad, messages, and the page with the state of everything."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.base import Notice, View
from kiosk.presenters.views_tecnico import TYPING, StatusRow, TecnicoPhase, TecnicoView
from kiosk.screens.base import (
    Chrome,
    Press,
    ScreenBody,
    accent_of,
    fill_buttons,
    fill_notices,
    is_low,
)
from kiosk.screens.message import MessagePanel
from kiosk.widgets import skin
from kiosk.widgets.text import Icon, Words


class StatusLine(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """One thing: its mark, its name, and below how it is; as tall as its words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size_hint_y=None, spacing=skin.px(14), **kwargs)
        self._icon = Icon(dots=skin.px(28), size_hint=(None, None), size=(skin.px(30), skin.px(30)))
        self._icon.pos_hint = {"top": 1}
        self._column = BoxLayout(orientation="vertical", size_hint_y=None, pos_hint={"top": 1})
        self._column.bind(minimum_height=self._measure)
        self._label = Words(role=skin.pick("small", "body"), weight="semibold", grow=True)
        self._text = Words(role=skin.pick("small", "body"), tone="muted", grow=True)
        for part in (self._label, self._text):
            self._column.add_widget(part)
        for part in (self._icon, self._column):
            self.add_widget(part)

    def show(self, row: StatusRow) -> None:
        self._icon.name, self._icon.tone = row.icon, accent_of(row.tone)
        self._label.text, self._text.text = row.label, row.text

    def _measure(self, _column: Any, height: float) -> None:
        self._column.height = height
        self.height = max(height, skin.px(30))


class TecnicoBody(ScreenBody):
    """Three faces, one at a time: keypad, message, page. Lines of the page are kept while it lives."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._typing, self._page = self.ids.typing, self.ids.page
        self._message = MessagePanel(press)
        self.ids.keypad.press = press
        self._story = BoxLayout(orientation="vertical", size_hint_y=None, spacing=skin.px(12))
        self._story.padding = (0, 0, skin.px(16), 0)
        self._story.bind(minimum_height=self._story.setter("height"))
        self.ids.pager.hold(self._story)
        if skin.is_tall():
            actions = self.ids.typing_actions
            self.ids.told.remove_widget(actions)
            self._typing.add_widget(actions)
        self._lines: dict[str, StatusLine] = {}
        self._shape: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._notices = BoxLayout(
            orientation="vertical", size_hint_y=None, height=0, spacing=skin.px(8)
        )
        self._notices.bind(minimum_height=self._notices.setter("height"))
        self._said: tuple[Notice, ...] = ()
        self.clear_widgets()

    def chrome(self, view: View) -> Chrome:
        return Chrome(header=not is_low())

    def show(self, view: TecnicoView) -> None:
        if view.phase in TYPING:
            self._show_typing(view)
            self.arrange(self._typing)
        elif view.phase is TecnicoPhase.PAGE:
            self._show_page(view)
            self.arrange(self._page)
        else:
            self._message.show(
                view.icon, accent_of(view.tone), view.headline, view.text,
                notices=view.notices, actions=view.actions,
            )  # fmt: skip
            self.arrange(self._message)

    def _show_typing(self, view: TecnicoView) -> None:
        ids = self.ids
        ids.headline.text, ids.text.text, ids.typed.text = view.headline, view.text, view.typed
        fill_notices(ids.typing_notices, view.notices)
        ids.keypad.show(view.keys)
        fill_buttons(ids.typing_actions, view.actions, self.press)

    def _show_page(self, view: TecnicoView) -> None:
        fill_notices(self._notices, view.notices)
        if view.notices != self._said:
            self._said = view.notices
            self.ids.pager.to_top()
        fill_buttons(self.ids.actions, view.actions, self.press)
        shape = tuple((title, tuple(row.id for row in rows)) for title, rows in view.groups)
        if shape != self._shape or not self._story.children:
            self._shape = shape
            self._build(view)
        for _title, rows in view.groups:
            for row in rows:
                self._lines[row.id].show(row)

    def _build(self, view: TecnicoView) -> None:
        self._story.clear_widgets()
        self._lines = {}
        self._story.add_widget(self._notices)
        if not view.groups:
            self._story.add_widget(Words(text=view.text, role="body", grow=True))
        for title, rows in view.groups:
            self._story.add_widget(Words(text=title, role="body", weight="bold", grow=True))
            for row in rows:
                line = self._lines[row.id] = StatusLine()
                self._story.add_widget(line)
