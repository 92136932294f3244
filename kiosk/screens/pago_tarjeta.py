"""Paying by card: confirm the amount, then the terminal leads and this screen says where to look."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.views import CardPhase, PagoTarjetaView
from kiosk.screens.base import Press, ScreenBody
from kiosk.screens.message import MessagePanel

_MOODS = {
    CardPhase.ASKING_CITY: ("landmark", "sea"),
    CardPhase.CONFIRM: ("credit-card", "sea"),
    CardPhase.STARTING: ("credit-card", "sea"),
    CardPhase.AT_TERMINAL: ("smartphone-nfc", "sea"),
    CardPhase.CANCELLING: ("undo-2", "sun"),
}


class PagoTarjetaBody(ScreenBody):
    """One message whose icon follows the phase."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self.add_widget(self._message)

    def show(self, view: PagoTarjetaView) -> None:
        icon, accent = _MOODS[view.phase]
        self._message.show(
            icon, accent, view.headline, view.text, amount=view.amount,
            notices=view.notices, actions=view.actions,
        )  # fmt: skip
