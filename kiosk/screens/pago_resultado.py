"""How a card payment ended when it did not simply succeed; "unknown" is said in plain words."""

from __future__ import annotations

from kiosk.presenters.views import PagoResultadoView
from kiosk.screens.base import accent_of
from kiosk.screens.message import MessageBody


class PagoResultadoBody(MessageBody):
    def show(self, view: PagoResultadoView) -> None:
        self._message.show(
            view.icon, accent_of(view.tone), view.headline, view.text, strong=view.emphasis.rstrip(":"),
            folio=view.folio, promise=view.promise, actions=view.actions,
        )  # fmt: skip
