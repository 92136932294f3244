"""More services: a short menu, or a page to read."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.views import MasServiciosView
from kiosk.screens.base import Press, ScreenBody, accent_of, forward
from kiosk.widgets import skin
from kiosk.widgets.buttons import Choice
from kiosk.widgets.text import Words


class MasServiciosBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._menu, self._page = self.ids.menu, self.ids.page
        self._story = BoxLayout(orientation="vertical", size_hint_y=None, spacing=skin.px(18))
        self._story.bind(minimum_height=self._story.setter("height"))
        self.ids.pager.hold(self._story)

    def show(self, view: MasServiciosView) -> None:
        wanted = self._page if view.reading else self._menu
        if self.children != [wanted]:
            self.clear_widgets()
            self.add_widget(wanted)
        if view.reading:
            self._story.clear_widgets()
            for text in view.paragraphs:
                self._story.add_widget(Words(text=text, role=skin.pick("body", "title"), grow=True))
            self.ids.pager.to_top()
        else:
            self._show_menu(view)

    def _show_menu(self, view: MasServiciosView) -> None:
        menu = self._menu
        if [c.key for c in reversed(menu.children)] != [a.id for a in view.choices]:
            menu.clear_widgets()
            for action in view.choices:
                choice = Choice(key=action.id, tile=skin.pick(96, 88), stacked=skin.is_tall())
                forward(choice, self.press)
                menu.add_widget(choice)
        for choice, action in zip(reversed(menu.children), view.choices, strict=True):
            choice.text, choice.detail, choice.icon = action.label, action.detail, action.icon
            choice.accent, choice.enabled = accent_of(action.tone), action.enabled
            choice.role = skin.pick("heading", "title")
