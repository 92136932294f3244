"""Predial: what the property owes, year by year, and the ways to pay that work right now."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.base import View
from kiosk.presenters.views import AdeudoView, DebtRow, DebtState
from kiosk.screens.base import Chrome, Press, ScreenBody, fill_buttons, fill_notices
from kiosk.screens.message import MessagePanel
from kiosk.widgets import skin
from kiosk.widgets.surface import Bar
from kiosk.widgets.text import Words

_MOODS: dict[DebtState, tuple[str, str]] = {
    DebtState.LOADING: ("loader-circle", "sea"),
    DebtState.UP_TO_DATE: ("circle-check", "leaf"),
    DebtState.ALREADY_PAID: ("circle-check", "leaf"),
    DebtState.IN_VERIFICATION: ("message-circle-warning", "sun"),
    DebtState.EXPIRED: ("calendar-clock", "sun"),
    DebtState.BAD_SIGNATURE: ("shield-alert", "sun"),
    DebtState.NOT_FOUND: ("search", "sun"),
}


class AdeudoBody(ScreenBody):
    """A table with a total and ways to pay; or, when there is nothing to pay, one message."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._rows = BoxLayout(orientation="vertical", size_hint_y=None)
        self._rows.bind(minimum_height=self._rows.setter("height"))
        self.ids.pager.hold(self._rows)
        self._message = MessagePanel(press)
        self._table, self._ways = self.ids.table, self.ids.ways_column
        self._drawn: tuple[DebtRow, ...] | None = None
        if skin.is_tall():
            # The total first: the list's buttons, at its lower edge, must stay within reach.
            self._table.remove_widget(self.ids.sum)
            self._table.add_widget(self.ids.sum, index=1)

    def chrome(self, view: View) -> Chrome:
        # A message says its own headline; a second one above it would only repeat it.
        return Chrome(title=not (isinstance(view, AdeudoView) and view.state in _MOODS))

    def show(self, view: AdeudoView) -> None:
        if view.state in _MOODS:
            icon, accent = _MOODS[view.state]
            self.arrange(self._message)
            self._message.show(
                icon, accent, view.headline, view.message, folio=view.folio,
                notices=view.notices, actions=view.actions,
            )  # fmt: skip
            return
        self.arrange(self._table, self._ways)
        ids = self.ids
        ids.clave.text, ids.owner.text = view.clave, view.owner
        ids.total_label.text, ids.validity.text = view.total_label, view.validity
        ids.total.text = view.total
        ids.ways_heading.text = view.ways_heading
        if view.rows != self._drawn:
            self._drawn = view.rows
            self._draw_rows(view.rows)
        fill_buttons(ids.ways, (*view.ways, *view.actions), self.press, centered=False)
        fill_notices(
            ids.notices,
            view.notices,
            role=skin.pick("caption", "small") if len(view.notices) + len(view.actions) > 1 else "",
        )

    def _draw_rows(self, rows: tuple[DebtRow, ...]) -> None:
        self._rows.clear_widgets()
        for row in rows:
            line = Bar(
                fill="card", line_at="bottom", size_hint_y=None, height=skin.px(skin.pick(68, 96)),
                padding=(skin.px(26), 0), spacing=skin.px(20),
            )  # fmt: skip
            bold = {"role": skin.pick("body", "heading"), "weight": "figures-bold"}
            year = Words(text=row.year, size_hint_x=None, width=skin.px(skin.pick(70, 90)), **bold)
            amount = Words(text=row.amount, halign="right", hug=True, **bold)
            line.add_widget(year)
            line.add_widget(Words(text=row.concepts, role=skin.pick("small", "body"), tone="muted"))
            line.add_widget(amount)
            self._rows.add_widget(line)
        self.ids.pager.to_top()
