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
from kiosk.widgets.panels import Field, Pairs
from kiosk.widgets.scroll import Pager


class OptionGrid(GridLayout):  # type: ignore[misc]  # kivy has no type information
    """Choice cards in columns, as many rows as needed; widgets stay while the ids do."""

    def __init__(self, columns: int, row_height: float, **kwargs: Any) -> None:
        super().__init__(cols=columns, size_hint_y=None, spacing=skin.gap(), **kwargs)
        self.row_default_height, self.row_force_default = row_height, True
        self.bind(minimum_height=self.setter("height"))

    def held_by(self, pager: Pager) -> None:
        """Stand in a pager that moves by whole rows."""
        pager.hold(self)
        pager.snap(
            self.row_default_height,
            lambda: -(-len(self.children) // self.cols),
            self._set_row,
        )

    def _set_row(self, height: float) -> None:
        self.row_default_height = height

    def show(self, options: Sequence[Action], press: Press) -> None:
        if [c.key for c in reversed(self.children)] != [a.id for a in options]:
            self.clear_widgets()
            for action in options:
                choice = Choice(
                    key=action.id, tile=60 if action.icon else 0, role=skin.pick("body", "small")
                )
                forward(choice, press)
                self.add_widget(choice)
        for choice, action in zip(reversed(self.children), options, strict=True):
            choice.text, choice.icon = action.label, action.icon
            choice.accent, choice.enabled = accent_of(action.tone), action.enabled
            choice.chosen = action.selected


class ReporteBody(ScreenBody):
    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        ids = self.ids
        self._layouts = {n: ids[n] for n in ("choose", "type", "phone", "review")}
        self._message = MessagePanel(press)
        # Three lines of one size: no name is shrunk beside its neighbours.
        three_lines = round(skin.size(skin.pick("body", "small")) * 1.32 * 3) + skin.px(
            skin.pick(28, 31)
        )
        tall, low = max(skin.target(), three_lines), max(skin.target(), skin.px(88))
        self._options = OptionGrid(3, tall)
        self._options.held_by(ids.choose_pager)
        self._type_options = OptionGrid(3, low)
        self._type_options.held_by(ids.type_pager)
        self._type_pager = ids.type_pager
        self._answered = Pairs(role="heading", label_share=0.3)
        if skin.is_tall():
            self.orientation = "vertical"
            self._stack_phone()
        ids.keyboard.press = ids.keypad.press = press
        forward(ids.consent, press)

    def _stack_phone(self) -> None:
        """What is read above; what is pressed below it, keys at the end but for the way on."""
        ids = self.ids
        story = ids.privacy.parent
        for part in (ids.phone_fields, ids.consent, story, ids.phone_actions):
            ids.phone_told.remove_widget(part)
        for part in (story, ids.phone_fields, ids.consent):
            ids.phone_told.add_widget(part)
        ids.phone.add_widget(ids.phone_actions)

    def chrome(self, view: View) -> Chrome:
        if not isinstance(view, ReporteView):
            return Chrome()
        typing = bool(view.keyboard) and view.stage is not ReportStep.PHONE
        crowded = typing and bool(view.options)
        return Chrome(header=not crowded, title=not crowded)

    def show(self, view: ReporteView) -> None:
        self._answered.show([(r.label, r.value, r.strong) for r in view.answered])
        if view.stage is ReportStep.SENDING:
            self.arrange(self._message)
            self._message.show("send", "sea", view.question, view.problem)
        elif view.stage is ReportStep.PHONE:
            self._show_phone(view)
        elif view.stage is ReportStep.REVIEW:
            self._show_review(view)
        elif view.keyboard:
            self._show_typing(view)
        else:
            self._show_choices(view)

    def _lay_out(self, name: str) -> None:
        """One layout; on a tall screen what was answered so far stands above it."""
        tells = skin.is_tall() and bool(self._answered.children)
        self.arrange(*((self._answered,) if tells else ()), self._layouts[name])

    def _show_choices(self, view: ReporteView) -> None:
        self._lay_out("choose")
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
        self._lay_out("type")
        ids = self.ids
        ids.type_question.text = view.problem or view.question
        ids.type_question.tone = (
            "clay" if view.problem else "ink" if view.options or skin.is_tall() else "muted"
        )
        heading = bool(view.options) and not view.problem
        ids.type_question.role = skin.pick("body" if heading else "small", "display")
        ids.type_question.weight = "bold" if heading or skin.is_tall() else "regular"
        ids.type_question.height = round(skin.size(ids.type_question.role) * 1.42)
        self._fill_fields(ids.type_fields, view.fields)
        fill_buttons(ids.type_actions, view.actions, self.press)
        self._type_options.show(view.options, self.press)
        pager, layout = self._type_pager, self._layouts["type"]
        if view.options and pager.parent is None:
            layout.add_widget(pager, index=1)
        elif not view.options and pager.parent is not None:
            layout.remove_widget(pager)
        ids.keyboard.show(view.keyboard)
        ids.keyboard.height = ids.keyboard.rows_height
        self._size_typing(view)

    def _size_typing(self, view: ReporteView) -> None:
        """One row of field and button above a list; without a list they have all the room."""
        ids, low = self.ids, max(skin.target(), skin.px(88))
        beside = bool(view.options) or not skin.is_tall()
        ids.type_row.orientation = "horizontal" if beside else "vertical"
        share = 0.28 * len(view.actions) if view.actions else 0.001
        ids.type_actions.size_hint = (share, 1) if beside else (1, None)
        ids.type_actions.height = low
        ids.type_row.size_hint_y = None if view.options or not beside else 1
        room = skin.reach() - ids.keyboard.height - 2 * skin.gap()
        ids.type_row.height = low if beside else room
        if skin.is_tall():
            self._type_pager.size_hint_y, self._type_pager.height = None, room - low - skin.gap()

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
        self._lay_out("phone")
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
        self._lay_out("review")
        ids = self.ids
        ids.review_question.text = view.question
        ids.review_rows.show([(r.label, r.value, r.strong) for r in view.review])
        ids.review_note.text = view.problem or view.privacy
        ids.review_note.tone = "clay" if view.problem else "muted"
        fill_buttons(ids.review_actions, view.actions, self.press)
