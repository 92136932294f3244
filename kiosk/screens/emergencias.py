"""Emergencies: one number that cannot be missed, and the others."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.presenters.views import EmergenciasView, PhoneRow
from kiosk.screens.base import ScreenBody
from kiosk.widgets import skin
from kiosk.widgets.surface import Card
from kiosk.widgets.text import Words


class EmergenciasBody(ScreenBody):
    def show(self, view: EmergenciasView) -> None:
        ids = self.ids
        ids.name.text, ids.number.text, ids.note.text = view.main_name, view.main_number, view.note
        ids.phones.clear_widgets()
        ids.phones.cols = 1 if len(view.phones) <= 5 else 2
        for row in view.phones:
            ids.phones.add_widget(_phone_card(row))
        for _ in range(len(view.phones), skin.pick(4, 0)):
            ids.phones.add_widget(Widget())


def _phone_card(row: PhoneRow) -> Card:
    card = Card(padding=(skin.px(24), skin.px(8)), spacing=skin.px(16), radius=skin.px(18))
    card.add_widget(Words(text=row.name, role=skin.pick("small", "heading")))
    card.add_widget(
        Words(
            text=row.number,
            role=skin.pick("body", "heading"),
            weight="figures-bold",
            halign="right",
            size_hint_x=0.9,
        )
    )
    return card
