"""Trouble in plain words, also when the whole kiosk is out of service."""

from __future__ import annotations

from kiosk.presenters.views import AvisoView
from kiosk.screens.base import accent_of
from kiosk.screens.message import MessageBody


class AvisoBody(MessageBody):
    def show(self, view: AvisoView) -> None:
        phone = (
            ": ".join(part for part in (view.phone_label, view.phone) if part) if view.phone else ""
        )
        self._message.show(
            view.icon, accent_of(view.tone), view.headline, view.text, promise=phone,
            actions=view.actions,
        )  # fmt: skip
