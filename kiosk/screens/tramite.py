"""One trámite: what to bring on the left, what it costs and where on the right, and a paper to take."""

from __future__ import annotations

from typing import Any

from kivy.uix.boxlayout import BoxLayout

from kiosk.presenters.views import TramiteView
from kiosk.screens.base import Press, ScreenBody, dress_button, fill_notices, forward
from kiosk.widgets import skin
from kiosk.widgets.text import Icon, Words


class IconLine(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """An icon and a text, with a smaller one below if needed; as tall as its words."""

    def __init__(
        self,
        name: str,
        tone: str,
        text: str,
        detail: str,
        *,
        weight: str = "semibold",
        **kwargs: Any,
    ) -> None:
        super().__init__(size_hint_y=None, spacing=skin.px(14), **kwargs)
        side = skin.px(30)
        icon = Icon(
            name=name, tone=tone, dots=skin.px(28), size_hint=(None, None), size=(side, side)
        )
        icon.pos_hint = {"top": 1}
        words = BoxLayout(orientation="vertical", size_hint_y=None)
        words.bind(minimum_height=words.setter("height"))
        words.fbind("height", self._measure)
        words.add_widget(
            Words(text=text, role=skin.pick("small", "body"), weight=weight, grow=True)
        )
        if detail:
            words.add_widget(
                Words(text=detail, role=skin.pick("caption", "small"), tone="muted", grow=True)
            )
        self.add_widget(icon)
        self.add_widget(words)

    def _measure(self, words: Any, *_: Any) -> None:
        self.height = max(words.height, skin.px(30))


class TramiteBody(ScreenBody):
    """Two columns; the left one moves when it is longer than the screen."""

    def __init__(self, press: Press, **kwargs: Any) -> None:
        super().__init__(press, **kwargs)
        self._story = BoxLayout(
            orientation="vertical", size_hint_y=None, spacing=skin.px(12), padding=skin.px(4)
        )
        self._story.bind(minimum_height=self._story.setter("height"))
        self.ids.pager.hold(self._story)
        forward(self.ids.print_button, press)
        self._drawn: TramiteView | None = None

    def show(self, view: TramiteView) -> None:
        dress_button(self.ids.print_button, view.print_action)
        fill_notices(self.ids.notices, (view.notice,) if view.notice else ())
        if self._drawn is not None and self._drawn.name == view.name == self._drawn.title:
            return
        self._drawn = view
        self.ids.facts.show([(f.label, f.value, f.strong) for f in view.facts])
        self.ids.qr.content, self.ids.qr_caption.text = view.qr, view.qr_caption
        self._tell(view)
        self.ids.pager.to_top()

    def _tell(self, view: TramiteView) -> None:
        story = self._story
        story.clear_widgets()
        if view.name and view.name != view.title:
            story.add_widget(Words(text=view.name, role="heading", weight="bold", grow=True))
        story.add_widget(
            Words(text=view.dependency, role=skin.pick("caption", "small"), tone="muted", grow=True)
        )
        if view.description:
            story.add_widget(
                Words(text=view.description, role=skin.pick("small", "body"), grow=True)
            )
        story.add_widget(
            Words(
                text=view.requirements_heading,
                role=skin.pick("body", "heading"),
                weight="bold",
                grow=True,
            )
        )
        for row in view.requirements:
            icon, tone = ("square-check", "leaf") if row.held else ("square", "primary")
            story.add_widget(IconLine(icon, tone, row.name, row.detail))
        for icon, texts in (("badge-check", view.obtains), ("scale", view.legal_basis)):
            for text in texts:
                story.add_widget(IconLine(icon, "muted", text, "", weight="regular"))
