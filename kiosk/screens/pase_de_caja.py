"""A pase de caja: how much, until when, where it can be paid, and the button that prints it."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.views import PasePhase, PaseView
from kiosk.screens.base import Press, ScreenBody, fill_buttons, fill_notices
from kiosk.screens.message import MessagePanel


class PaseBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self._card, self._side = self.ids.card, self.ids.side

    def show(self, view: PaseView) -> None:
        if view.phase is PasePhase.REFUSED:
            self.arrange(self._message)
            self._message.show(
                "circle-alert", "sun", view.title, view.message, notices=view.notices,
                actions=view.actions,
            )  # fmt: skip
            return
        self.arrange(self._card, self._side)
        ids = self.ids
        ids.amount.text, ids.due.text, ids.message.text = view.amount, view.due, view.message
        ids.where.show([(w.label, w.value, w.strong) for w in view.where])
        fill_notices(ids.notices, view.notices)
        fill_buttons(ids.actions, view.actions, self.press)
