"""Home: one question, four choices; above them an offer when a receipt waits, or how far a stick is."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import Action
from kiosk.presenters.views import HomeView
from kiosk.screens.base import Press, ScreenBody, accent_of, dress_button, forward
from kiosk.widgets.buttons import Choice, PushButton
from kiosk.widgets.panels import NoticeBox


class HomeBody(ScreenBody):
    """Four choice cards in two rows, kept for as long as the screen lives."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._choices = [Choice() for _ in range(4)]
        for choice in self._choices:
            self.ids.grid.add_widget(choice)
            forward(choice, press)
        self._notice = NoticeBox(pos_hint={"center_y": 0.5})
        self._offer = PushButton(size_hint_x=0.5)
        forward(self._offer, press)

    def show(self, view: HomeView) -> None:
        for choice, action in zip(self._choices, view.choices, strict=True):
            _dress_choice(choice, action)
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
