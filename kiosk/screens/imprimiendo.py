"""What was done stays on the screen while the paper comes out, and if it does not come out."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import View
from kiosk.presenters.views import ImprimiendoView
from kiosk.screens.base import Chrome, ScreenBody, accent_of, fill_buttons
from kiosk.screens.message import unbroken


class ImprimiendoBody(ScreenBody):
    """The matter on the left; folio and QR, so that a photo is as good as the paper, on the right."""

    def chrome(self, view: View) -> Chrome:
        return Chrome(title=False)

    def show(self, view: ImprimiendoView) -> None:
        ids = self.ids
        ids.medal.icon, ids.medal.accent = view.icon, accent_of(view.tone)
        ids.headline.text, ids.status.text = unbroken(view.headline), view.status
        ids.question.text = view.question
        ids.details.show([(d.label, d.value, d.strong) for d in view.details])
        ids.ticket.text, ids.ticket.label = view.folio, view.folio_label
        ids.qr.content, ids.qr_caption.text = view.qr, view.qr_caption
        self._show_slip(bool(view.folio or view.qr))
        fill_buttons(ids.actions, view.actions, self.press)

    def _show_slip(self, wanted: bool) -> None:
        slip, row = self.slip, self.ids.row
        if wanted and slip.parent is None:
            row.add_widget(slip)
        elif not wanted and slip.parent is not None:
            row.remove_widget(slip)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slip = self.ids.slip
