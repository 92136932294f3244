"""Help: what this kiosk can do, and a telephone with a person at the other end."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.views import AyudaView
from kiosk.screens.base import Press, ScreenBody, fill_buttons
from kiosk.widgets import skin
from kiosk.widgets.text import Words


class AyudaBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._story = BoxLayout(orientation="vertical", size_hint_y=None, spacing=skin.px(18))
        self._story.bind(minimum_height=self._story.setter("height"))
        self.ids.pager.hold(self._story)

    def show(self, view: AyudaView) -> None:
        self._story.clear_widgets()
        for text in view.paragraphs:
            self._story.add_widget(Words(text=text, role=skin.pick("body", "heading"), grow=True))
        ids = self.ids
        ids.phone_label.text, ids.phone.text, ids.site.text = (
            view.phone_label,
            view.phone,
            view.site,
        )
        fill_buttons(ids.actions, view.actions, self.press)
