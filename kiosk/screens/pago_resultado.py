"""How a card payment ended when it did not simply succeed; "unknown" is said in plain words."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import View
from kiosk.presenters.views import PagoResultadoView
from kiosk.screens.base import Chrome, Press, ScreenBody, accent_of
from kiosk.screens.message import MessagePanel


class PagoResultadoBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self.add_widget(self._message)

    def chrome(self, view: View) -> Chrome:
        return Chrome(title=False)

    def show(self, view: PagoResultadoView) -> None:
        self._message.show(
            view.icon, accent_of(view.tone), view.headline, view.text, strong=view.emphasis.rstrip(":"),
            folio=view.folio, promise=view.promise, actions=view.actions,
        )  # fmt: skip
