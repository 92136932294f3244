"""Home: one question, four choices; above them an offer when a receipt waits, or how far a stick is."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.base import Action
from kiosk.presenters.views import HomeView
from kiosk.screens.base import Press, ScreenBody, accent_of, dress_button, forward
from kiosk.widgets import skin
from kiosk.widgets.buttons import Choice, PushButton
from kiosk.widgets.panels import NoticeBox
from kiosk.widgets.surface import Card
from kiosk.widgets.text import Icon, Words


class Board(Card):
    """What a tall screen tells whoever walks by: that there is Wi-Fi, and under which name."""

    def __init__(self) -> None:
        super().__init__(fill="sea-pale", edge="", size_hint_y=None, height=skin.px(210))
        self.padding, self.spacing = skin.px(40), skin.px(32)
        self.pos_hint = {"center_y": 0.5}
        side = skin.px(96)
        icon = Icon(name="wifi", tone="sea", dots=side, size_hint_x=None, width=side)
        self._heading = Words(role="display", weight="bold")
        self._text = Words(role="title")
        words = BoxLayout(orientation="vertical")
        words.add_widget(self._heading)
        words.add_widget(self._text)
        self.add_widget(icon)
        self.add_widget(words)

    def show(self, heading: str, text: str) -> None:
        self._heading.text, self._text.text = heading, text
        self.opacity = 1 if heading else 0


class HomeBody(ScreenBody):
    """Four choice cards in two rows, kept for as long as the screen lives."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._choices = [Choice(stacked=skin.is_tall(), tile=skin.pick(120, 88)) for _ in range(4)]
        for choice in self._choices:
            self.ids.grid.add_widget(choice)
            forward(choice, press)
        self._board = Board()
        if skin.is_tall():
            self.ids.board.add_widget(self._board)
        else:
            self.remove_widget(self.ids.board)
        self._notice = NoticeBox(pos_hint={"center_y": 0.5})
        self._offer = PushButton(size_hint_x=skin.pick(0.5, 0.62))
        forward(self._offer, press)

    def show(self, view: HomeView) -> None:
        for choice, action in zip(self._choices, view.choices, strict=True):
            _dress_choice(choice, action)
        self._board.show(*view.wifi)
        offer = self.ids.offer
        offer.clear_widgets()
        offer.height = 0
        if view.offer_notice is not None:
            self._notice.text, self._notice.icon = view.offer_notice.text, view.offer_notice.icon
            self._notice.accent = accent_of(view.offer_notice.tone)
            offer.add_widget(self._notice)
            offer.height = self.offer_height
        if view.offer is not None:
            dress_button(self._offer, view.offer)
            offer.add_widget(self._offer)
            offer.height = self.offer_height


def _dress_choice(choice: Choice, action: Action) -> None:
    choice.key, choice.text, choice.detail = action.id, action.label, action.detail
    choice.icon, choice.accent, choice.enabled = action.icon, accent_of(action.tone), action.enabled
    choice.speech = action.focus().speech
