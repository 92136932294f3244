"""My folio: type it, and see where the matter stands."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import Notice, Tone, View
from kiosk.presenters.views import FolioPhase, FolioView
from kiosk.screens.base import Chrome, Press, ScreenBody, fill_buttons, fill_notices, is_low


class FolioBody(ScreenBody):
    """While typing: field, button and keyboard. After: the answer."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self.ids.keyboard.press = press
        self._entry, self._answer = self.ids.entry, self.ids.answer
        self._entry_actions, self._answer_actions = self.ids.entry_actions, self.ids.answer_actions

    def chrome(self, view: View) -> Chrome:
        typing = isinstance(view, FolioView) and bool(view.keyboard)
        return Chrome(header=not (typing and is_low()))

    def show(self, view: FolioView) -> None:
        typing = view.phase in {FolioPhase.ENTRY, FolioPhase.LOOKING}
        self.arrange(self._entry if typing else self._answer)
        (self._show_entry if typing else self._show_answer)(view)

    def _show_entry(self, view: FolioView) -> None:
        ids = self.ids
        ids.field.value, ids.field.hint, ids.field.active = view.text, view.hint, True
        ids.field.label = view.problem or view.headline
        ids.field.label_tone = "clay" if view.problem else "muted"
        ids.keyboard.show(view.keyboard)
        ids.keyboard.height = ids.keyboard.rows_height
        fill_buttons(self._entry_actions, view.actions, self.press)

    def _show_answer(self, view: FolioView) -> None:
        ids = self.ids
        found = view.phase is FolioPhase.FOUND
        ids.medal.icon, ids.medal.accent = ("ticket", "leaf") if found else ("search", "sun")
        ids.headline.text = view.headline
        ids.rows.show([(r.label, r.value, r.strong) for r in view.rows])
        notices = [view.notice] if view.notice else []
        if view.problem:
            notices.append(Notice(view.problem, Tone.SUN, "triangle-alert"))
        fill_notices(ids.notices, notices)
        fill_buttons(self._answer_actions, view.actions, self.press)
