"""One message in the middle of a screen: mood, headline, words, a folio, and what can be done now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.presenters.base import Action, Notice, View
from kiosk.screens.base import Chrome, Press, ScreenBody, fill_buttons, fill_notices
from kiosk.widgets import skin
from kiosk.widgets.icon_ground import Medal
from kiosk.widgets.panels import Ticket
from kiosk.widgets.text import Words


class MessagePanel(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Everything is centred and optional but the headline; empty parts take no room."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", spacing=skin.px(16), **kwargs)
        self._press = press
        side = skin.px(skin.pick(104, 200))
        self._medal = Medal(size_hint=(None, None), size=(side, side), pos_hint={"center_x": 0.5})
        center: dict[str, Any] = {"halign": "center", "grow": True}
        wide = {"size_hint_x": 0.82, "pos_hint": {"center_x": 0.5}}
        self._amount = Words(role=skin.pick("display", "giant"), weight="figures-bold", **center)
        self._headline = Words(role=skin.pick("title", "giant"), weight="bold", **center)
        self._text = Words(role=skin.pick("body", "title"), **center, **wide)
        self._strong = Words(role=skin.pick("body", "title"), weight="bold", **center, **wide)
        self._ticket = Ticket(size_hint=(None, None), pos_hint={"center_x": 0.5})
        self._promise = Words(role=skin.pick("small", "heading"), tone="muted", **center, **wide)
        self._notices = BoxLayout(
            orientation="vertical", size_hint=(0.82, None), pos_hint={"center_x": 0.5},
            spacing=skin.px(10),
        )  # fmt: skip
        self._notices.bind(minimum_height=self._notices.setter("height"))
        self._buttons = BoxLayout(
            size_hint=(None, None), pos_hint={"center_x": 0.5},
            orientation=skin.flow(), spacing=skin.pick(skin.px(24), skin.gap()),
        )  # fmt: skip
        self._shown: tuple[Any, ...] = ()

    def show(
        self,
        icon: str,
        accent: str,
        headline: str,
        text: str = "",
        *,
        strong: str = "",
        amount: str = "",
        folio: str = "",
        folio_label: str = "",
        promise: str = "",
        notices: Sequence[Notice] = (),
        actions: Sequence[Action] = (),
    ) -> None:
        """Draw the message; the order on screen is the order of the arguments."""
        self._medal.icon, self._medal.accent = icon, accent
        self._headline.text, self._text.text = unbroken(headline), unbroken(text)
        self._amount.text, self._strong.text = amount, strong
        self._promise.text = promise
        self._ticket.text, self._ticket.label = folio, folio_label
        self._ticket.size = (skin.px(skin.pick(540, 760)), skin.px(112 if folio_label else 86))
        fill_notices(self._notices, notices)
        fill_buttons(self._buttons, actions, self._press)
        self._buttons.size = _room_for(len(actions))
        self._arrange(
            (self._medal, bool(icon)), (self._headline, True), (self._amount, bool(amount)),
            (self._text, bool(text)), (self._strong, bool(strong)), (self._ticket, bool(folio)),
            (self._notices, bool(notices)), (self._buttons, bool(actions)),
            (self._promise, bool(promise)),
        )  # fmt: skip

    def _arrange(self, *parts: tuple[Any, bool]) -> None:
        wanted = tuple(part for part, shown in parts if shown)
        if wanted != self._shown:
            self._shown = wanted
            self.clear_widgets()
            for part in self._spaced(wanted):
                self.add_widget(part)

    def _spaced(self, parts: tuple[Any, ...]) -> tuple[Any, ...]:
        """In the middle; on a portrait screen the words stand high and the buttons within reach."""
        if not skin.is_portrait() or self._buttons not in parts:
            return (Widget(), *parts, Widget(size_hint_y=1.3))
        words = [part for part in parts if part is not self._buttons]
        return (Widget(size_hint_y=0.7), *words, Widget(), self._buttons)


def unbroken(text: str) -> str:
    """With amounts that no line break can part from their sign."""
    return text.replace("$ ", "$\N{NO-BREAK SPACE}")


def _room_for(buttons: int) -> tuple[int, int]:
    """Width and height of so many buttons: side by side, or on a portrait screen below each other."""
    if skin.is_tall():
        return skin.px(920), skin.stack_height(buttons, 124)
    count = max(1, buttons)
    wide = min(skin.px(1120), count * skin.px(410) + (count - 1) * skin.px(24))
    return wide, skin.stack_height(1, 96)


class MessageBody(ScreenBody):
    """A screen that is one message; its headline stands for the title."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._message = MessagePanel(press)
        self.add_widget(self._message)

    def chrome(self, view: View) -> Chrome:
        return Chrome(title=False)
