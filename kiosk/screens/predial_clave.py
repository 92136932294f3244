"""Predial, first step: the clave catastral on a large keypad."""

from __future__ import annotations

from typing import Any

from kiosk.presenters.base import Notice, Tone
from kiosk.presenters.views import PredialClaveView
from kiosk.screens.base import Press, ScreenBody, dress_button, fill_notices, forward
from kiosk.widgets import skin


class PredialClaveBody(ScreenBody):
    """What was typed and what it means on the left, keys on the right."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self.ids.keypad.press = press
        forward(self.ids.go_on, press)
        if skin.is_tall():
            self.ids.told.remove_widget(self.ids.go_on)
            self.add_widget(self.ids.go_on)

    def show(self, view: PredialClaveView) -> None:
        ids = self.ids
        ids.typed.text, ids.rest.text = view.formatted, view.placeholder
        ids.hint.text, ids.counter.text = view.hint, view.counter
        ids.where.text = view.where_to_find
        problem = (Notice(view.problem, Tone.SUN, "triangle-alert"),) if view.problem else ()
        fill_notices(ids.problem, problem)
        ids.keypad.show(view.keys)
        dress_button(ids.go_on, view.continue_action)
