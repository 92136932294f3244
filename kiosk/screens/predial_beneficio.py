"""Predial: one question before the total, so that nobody pays without a benefit that they could register."""

from __future__ import annotations

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.presenters.base import Action
from kiosk.presenters.views import BeneficioView, BenefitPhase
from kiosk.screens.base import ScreenBody, accent_of, fill_buttons, fill_notices
from kiosk.widgets import skin
from kiosk.widgets.icon_ground import IconTile
from kiosk.widgets.text import Icon, Words


class BeneficioBody(ScreenBody):
    """The groups are read, not pressed: nobody has to say which one they belong to."""

    def show(self, view: BeneficioView) -> None:
        ids = self.ids
        asking = view.phase is BenefitPhase.ASK
        ids.question.text = view.question
        ids.groups.clear_widgets()
        ids.groups.cols = max(1, min(len(view.groups), skin.pick(5, 2))) if asking else 1
        if asking:
            for group in view.groups:
                ids.groups.add_widget(_group_card(group))
        else:
            for text in view.bring:
                ids.groups.add_widget(_bring_line(text))
        fill_notices(ids.notices, (view.warning,) if view.warning else (), role="body")
        fill_buttons(ids.actions, view.actions, self.press)


def _group_card(group: Action) -> BoxLayout:
    card = BoxLayout(orientation="vertical", padding=skin.px(8), spacing=skin.px(14))
    side = skin.px(skin.pick(92, 150))
    tile = IconTile(icon=group.icon, accent=accent_of(group.tone), size_hint=(None, None))
    tile.size, tile.pos_hint = (side, side), {"center_x": 0.5}
    label = Words(
        text=group.label,
        role=skin.pick("body", "title"),
        weight="semibold",
        halign="center",
        grow=True,
    )
    for part in (Widget(), tile, label, Widget()):
        card.add_widget(part)
    return card


def _bring_line(text: str) -> BoxLayout:
    line = BoxLayout(spacing=skin.px(16))
    side = skin.px(36)
    line.add_widget(Icon(name="square", tone="primary", dots=side, size_hint_x=None, width=side))
    line.add_widget(Words(text=text, role=skin.pick("body", "heading")))
    return line
