"""Paying in cash: a message before and after; in between what is inside, what is missing, what may go in."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import View
from kiosk.presenters.views import CashPhase, PagoEfectivoView
from kiosk.screens.base import Chrome, Press, ScreenBody, accent_of, fill_buttons, fill_notices
from kiosk.screens.message import MessagePanel
from kiosk.widgets import skin


class PagoEfectivoBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self._card, self._side = self.ids.card, self.ids.side

    def chrome(self, view: View) -> Chrome:
        # An end says its own headline; a second one above it would only repeat it.
        is_end = isinstance(view, PagoEfectivoView) and view.phase is CashPhase.END
        return Chrome(title=not is_end)

    def show(self, view: PagoEfectivoView) -> None:
        if view.phase in {CashPhase.CONFIRM, CashPhase.INSERTING}:
            self.arrange(self._card, self._side)
            self._show_money(view)
            return
        self.arrange(self._message)
        self._message.show(
            view.icon, accent_of(view.tone), view.headline, view.text, strong=view.emphasis,
            amount=view.amount, folio=view.folio, promise=view.promise, notices=view.notices,
            actions=view.actions,
        )  # fmt: skip

    def _show_money(self, view: PagoEfectivoView) -> None:
        ids = self.ids
        *others, last = view.figures or (None,)
        ids.figures.show([(r.label, r.value, r.strong) for r in others if r])
        if not others:
            ids.figures.height = 0  # an empty one would keep the room of its last words
        ids.label.text = last.label if last else view.headline
        ids.amount.text = last.value if last else view.amount
        ids.amount.role = skin.pick("display" if last else "giant", "giant")
        ids.text.text = view.text
        ids.accepted_heading.text = view.accepted_heading
        ids.accepted.show([(r.label, r.value, True) for r in view.accepted])
        fill_notices(ids.notices, view.notices)
        fill_buttons(ids.actions, view.actions, self.press)
