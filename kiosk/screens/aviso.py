"""Trouble in plain words, also when the whole kiosk is out of service."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import View
from kiosk.presenters.views import AvisoView
from kiosk.screens.base import Chrome, Press, ScreenBody, accent_of
from kiosk.screens.message import MessagePanel


class AvisoBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self.add_widget(self._message)

    def chrome(self, view: View) -> Chrome:
        return Chrome(title=False)

    def show(self, view: AvisoView) -> None:
        phone = (
            ": ".join(part for part in (view.phone_label, view.phone) if part) if view.phone else ""
        )
        self._message.show(
            view.icon, accent_of(view.tone), view.headline, view.text, promise=phone,
            actions=view.actions,
        )  # fmt: skip
