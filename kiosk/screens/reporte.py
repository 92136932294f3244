"""Reporte: one question per step. Four layouts serve its steps: choose, type, telephone, review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.uix.gridlayout import GridLayout

from kiosk.presenters.base import Action, View
from kiosk.presenters.views import FieldRow, ReporteView, ReportStep
from kiosk.screens.base import Chrome, Press, ScreenBody, accent_of, fill_buttons, forward
from kiosk.screens.message import MessagePanel
from kiosk.widgets import skin
from kiosk.widgets.buttons import Choice
from kiosk.widgets.panels import Field


class OptionGrid(GridLayout):  # type: ignore[misc]  # kivy has no type information
    """Choice cards in columns, as many rows as needed; widgets stay while the ids do."""

    def __init__(self, columns: int, row_height: float, **kwargs: Any) -> None:
        super().__init__(cols=columns, size_hint_y=None, spacing=skin.gap(), **kwargs)
        self.row_default_height, self.row_force_default = row_height, True
        self.bind(minimum_height=self.setter("height"))

    def show(self, options: Sequence[Action], press: Press) -> None:
        if [c.key for c in reversed(self.children)] != [a.id for a in options]:
            self.clear_widgets()
            for action in options:
                choice = Choice(key=action.id, tile=60 if action.icon else 0, role="body")
                forward(choice, press)
                self.add_widget(choice)
        for choice, action in zip(reversed(self.children), options, strict=True):
            choice.text, choice.detail, choice.icon = action.label, action.detail, action.icon
            choice.accent, choice.enabled = accent_of(action.tone), action.enabled
            choice.chosen = action.selected


class ReporteBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        ids = self.ids
        self._layouts = {n: ids[n] for n in ("choose", "type", "phone", "review")}
        self._message = MessagePanel(press)
        tall, low = max(skin.target(), skin.px(104)), max(skin.target(), skin.px(88))
        self._options = OptionGrid(3 if not skin.is_portrait() else 2, tall)
        ids.choose_pager.hold(self._options)
        self._type_options = OptionGrid(3, low)
        ids.type_pager.hold(self._type_options)
        self._type_pager = ids.type_pager
        ids.keyboard.press = ids.keypad.press = press
        forward(ids.consent, press)

    def chrome(self, view: View) -> Chrome:
        if not isinstance(view, ReporteView):
            return Chrome()
        typing = bool(view.keyboard) and view.stage is not ReportStep.PHONE
        return Chrome(header=not typing, title=not (typing and view.options))

    def show(self, view: ReporteView) -> None:
        if view.stage is ReportStep.SENDING:
            self._place(self._message)
            self._message.show("send", "sea", view.question, view.problem)
        elif view.stage is ReportStep.PHONE:
            self._show_phone(view)
        elif view.stage is ReportStep.REVIEW:
            self._show_review(view)
        elif view.keyboard:
            self._show_typing(view)
        else:
            self._show_choices(view)

    def _place(self, layout: Any) -> None:
        if self.children != [layout]:
            self.clear_widgets()
            self.add_widget(layout)

    def _show_choices(self, view: ReporteView) -> None:
        self._place(self._layouts["choose"])
        ids = self.ids
        ids.choose_question.text = view.question
        if [c.key for c in reversed(self._options.children)] != [a.id for a in view.options]:
            ids.choose_pager.to_top()
        self._options.show(view.options, self.press)
        self._fill_fields(ids.choose_fields, view.fields)
        ids.choose_fields.height = max(skin.target(), skin.px(88)) if view.fields else 0
        fill_buttons(ids.choose_actions, view.actions, self.press)
        ids.choose_actions.height = max(skin.target(), skin.px(92)) if view.actions else 0
        ids.choose_problem.text = view.problem

    def _show_typing(self, view: ReporteView) -> None:
        self._place(self._layouts["type"])
        ids = self.ids
        ids.type_question.text = view.problem or view.question
        ids.type_question.tone = "clay" if view.problem else "muted"
        ids.type_question.role = "caption" if view.options else "small"
        ids.type_question.height = round(skin.size(ids.type_question.role) * 1.42)
        self._fill_fields(ids.type_fields, view.fields)
        fill_buttons(ids.type_actions, view.actions, self.press)
        ids.type_actions.size_hint_x = 0.28 * len(view.actions) if view.actions else 0.001
        self._type_options.show(view.options, self.press)
        pager, layout = self._type_pager, self._layouts["type"]
        if view.options and pager.parent is None:
            layout.add_widget(pager, index=1)
        elif not view.options and pager.parent is not None:
            layout.remove_widget(pager)
        low = max(skin.target(), skin.px(88))
        ids.type_row.size_hint_y = None if view.options else 1
        ids.type_row.height = low
        ids.keyboard.show(view.keyboard)
        ids.keyboard.height = ids.keyboard.rows_height

    def _fill_fields(self, box: Any, fields: Sequence[FieldRow]) -> None:
        if [c.key for c in reversed(box.children)] != [f.id for f in fields]:
            box.clear_widgets()
            for row in fields:
                field = Field(key=row.id)
                forward(field, self.press)
                box.add_widget(field)
        for field, row in zip(reversed(box.children), fields, strict=True):
            field.label, field.value, field.hint = row.label, row.value, row.hint
            field.active = row.active

    def _show_phone(self, view: ReporteView) -> None:
        self._place(self._layouts["phone"])
        ids = self.ids
        ids.phone_question.text = view.question
        self._fill_fields(ids.phone_fields, view.fields)
        consent = view.consent
        if consent is not None:
            ids.consent.key, ids.consent.text = consent.id, consent.label
            ids.consent.icon = "square-check" if consent.selected else "square"
            ids.consent.kind = "chosen" if consent.selected else "quiet"
            ids.consent.enabled, ids.consent.detail = consent.enabled, consent.detail
        ids.privacy.text = view.privacy
        ids.phone_problem.text = view.problem
        ids.keypad.show(view.keyboard)
        fill_buttons(ids.phone_actions, view.actions, self.press)

    def _show_review(self, view: ReporteView) -> None:
        self._place(self._layouts["review"])
        ids = self.ids
        ids.review_question.text = view.question
        ids.review_rows.show([(r.label, r.value, r.strong) for r in view.review])
        ids.review_note.text = view.problem or view.privacy
        ids.review_note.tone = "clay" if view.problem else "muted"
        fill_buttons(ids.review_actions, view.actions, self.press)
