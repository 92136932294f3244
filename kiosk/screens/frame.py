"""The frame of every screen: header, title with steps, the screen's body, bottom bar, overlays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, Line, Rectangle
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk.language import Translate
from kiosk.presenters.base import Action, View
from kiosk.presenters.views import HeaderView
from kiosk.screens.base import Chrome, Press, ScreenBody, accent_of, bar_tone, forward
from kiosk.widgets import skin
from kiosk.widgets.buttons import BarButton
from kiosk.widgets.chrome import BottomBar, Header, Steps
from kiosk.widgets.inventory import visible_targets
from kiosk.widgets.text import Words
from kiosk.widgets.touch import TouchGuard

_INNER, _LAST = ("bar.back", "bar.restart", "bar.help"), ("bar.listen", "bar.language")


class Upper(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """The title of a portrait screen: where one is, very large."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", spacing=skin.px(20), **kwargs)
        self.padding = (skin.px(40), skin.px(28), skin.px(40), 0)
        self.size_hint_y = skin.pick(1, None)
        self.bind(minimum_height=self.setter("height"))
        self._title = Words(
            role="giant", weight="bold", grow=True, limit=skin.px(420), line_height=0.92
        )
        self._lead = Words(role="title", tone="muted", grow=True)
        self._row = BoxLayout(size_hint_y=None, height=skin.px(40))
        self._rest = Widget()

    def show(self, title: str, lead: str, steps: Steps) -> None:
        self._title.text, self._lead.text = title, lead
        if steps.parent is not self._row:
            steps.parent.remove_widget(steps)
            self._row.add_widget(steps)
            self._row.add_widget(Widget())
        wanted = [self._title]
        wanted += [self._row] if steps.steps else []
        wanted += [self._lead] if lead else []
        wanted += [] if skin.is_tall() else [self._rest]
        if wanted != self.children[::-1]:
            self.clear_widgets()
            for part in wanted:
                self.add_widget(part)


class Frame(BoxLayout):  # type: ignore[misc]  # kivy has no type information
    """Draws a view around and inside a body. Holds no state of its own but widgets."""

    def __init__(self, words: Translate, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", **kwargs)
        self._translate = words
        skin.speak_with(words)
        self._header = Header()
        self._title = Words(weight="bold", role="title")
        self._steps = Steps(pos_hint={"center_y": 0.5})
        side = skin.px(40)
        self._title_row = BoxLayout(
            size_hint_y=None, height=skin.px(64), padding=(side, 0), spacing=skin.px(24)
        )
        self._title_row.add_widget(self._title)
        self._title_row.add_widget(self._steps)
        self._holder = BoxLayout(padding=(side, skin.px(6), side, 0))
        self._upper = Upper() if skin.is_portrait() else None
        self.bar = BottomBar()
        self._bar_ids: tuple[str, ...] = ()
        self._parts: tuple[Any, ...] = ()

    def show_header(self, view: HeaderView) -> None:
        self._header.city, self._header.site = view.city, view.site
        self._header.link_text, self._header.link_icon = view.link_text, view.link_icon
        self._header.link_accent = accent_of(view.link_tone)

    def show(self, body: ScreenBody, view: View, press: Press) -> None:
        """Put the body in place (if it is not) and draw the view."""
        body.show(view)
        chrome = body.chrome(view)
        self._title.text = view.title
        self._title.role = "display" if view.screen.value == "home" else "title"
        self._title_row.height = skin.px(80 if view.screen.value == "home" else 64)
        self._steps.step, self._steps.steps = view.step, view.steps
        _ = self._translate
        step = _("Paso {step} de {steps}").format(step=view.step, steps=view.steps)
        self._steps.text = step if view.steps else ""
        self._steps.opacity = 1 if view.steps else 0
        self._holder.padding[1] = skin.px(6) if chrome.title else 0 if chrome.header else skin.px(8)
        self._arrange(self._parts_for(view, chrome))
        if body.parent is not self._holder:
            self._holder.clear_widgets()
            self._holder.add_widget(body)
        self._show_bar(view.bar, press)

    def _parts_for(self, view: View, chrome: Chrome) -> tuple[Any, ...]:
        """From top to bottom. Bodies of a portrait screen tell above and ask below, within reach."""
        if self._upper is None:
            header = (self._header,) if chrome.header else ()
            title = (self._title_row,) if chrome.title else ()
            return (*header, *title, self._holder, self.bar)
        if chrome.header and not chrome.title:
            self._holder.size_hint_y = 1
            return (self._header, self._holder, self.bar)
        self._holder.padding[1] = skin.px(28)
        if not skin.is_tall():
            self._holder.size_hint_y, self._holder.height = None, skin.reach()
        self._upper.show(view.title, view.lead, self._steps)
        return (self._header, self._upper, self._holder, self.bar)

    def _places(self, ids: tuple[str, ...]) -> list[BarButton | None]:
        """Each button where it always is, also when one of its neighbours is not there."""
        known = dict(zip(ids, self._buttons, strict=True))
        if not set(ids) <= {*_INNER, *_LAST}:
            return list(self._buttons)
        last = next((known[i] for i in _LAST if i in known), None)
        return [*(known.get(i) for i in _INNER), last]

    def _arrange(self, parts: tuple[Any, ...]) -> None:
        if parts != self._parts:
            self._parts = parts
            self.clear_widgets()
            for part in parts:
                self.add_widget(part)

    def _show_bar(self, actions: tuple[Action, ...], press: Press) -> None:
        ids = tuple(a.id for a in actions)
        if ids != self._bar_ids:
            self._bar_ids = ids
            # New ones each time: changing the words of those on the glass makes the graphics wait.
            self._buttons = [BarButton() for _ in actions]
            for button in self._buttons:
                forward(button, lambda key: self.bar_press(key))
            self.bar.show(self._places(ids))
        self.bar_press: Press = press
        for button, action in zip(self._buttons, actions, strict=True):
            button.key, button.text, button.icon = action.id, action.label, action.icon
            button.tone, button.enabled = bar_tone(action), action.enabled
            button.speech = action.focus().speech


class Stage(FloatLayout):  # type: ignore[misc]  # kivy has no type information
    """The window's root: paper ground, the frame, one overlay above it, and the touch guard."""

    def __init__(
        self, words: Translate, guard: TouchGuard, on_touched: Callable[[], None], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        with self.canvas.before:
            Color(rgba=skin.color("paper"))
            self._ground = Rectangle()
        with self.canvas.after:
            self._ring_color = Color(rgba=(0, 0, 0, 0))
            self._ring = Line(width=max(2, skin.px(5)))
        self._ringed: Any = None
        self.fbind("size", self._paint)
        self.guard = guard
        self._on_touched = on_touched
        self.frame = Frame(words)
        self.overlay: Any = None
        self.add_widget(self.frame)

    def _paint(self, *_: Any) -> None:
        self._ground.size = self.size

    def ring(self, key: str) -> None:
        """Where the five-key keypad stands, seen as well as heard; nothing for an empty `key`."""
        found = visible_targets(self, self.size) if key else []
        box = next((t.visible for t in found if t.id == key), None)
        if box == self._ringed:  # what is set again is drawn again, the whole screen, at every tick
            return
        self._ringed = box
        self._ring_color.rgba = (0, 0, 0, 0) if box is None else skin.color("clay")
        if box is not None:
            low = self.height - box.y - box.h
            self._ring.rounded_rectangle = (box.x, low, box.w, box.h, skin.px(20))

    def raise_overlay(self, overlay: Any) -> None:
        """Show a dialog above everything; touches of a moment ago do not reach it."""
        self.drop_overlay(swallow=False)
        self.overlay = overlay
        self.add_widget(overlay)
        self.guard.swallow()

    def drop_overlay(self, *, swallow: bool = True) -> None:
        if self.overlay is not None:
            self.remove_widget(self.overlay)
            self.overlay = None
            if swallow:
                self.guard.swallow()

    def on_touch_down(self, touch: Any) -> bool:
        if self.guard.is_swallowing():
            return True
        if self.overlay is not None:
            self.overlay.on_touch_down(touch)
            return True
        self._on_touched()
        return bool(super().on_touch_down(touch))

    def on_touch_move(self, touch: Any) -> bool:
        return bool(super().on_touch_move(touch)) if self.overlay is None else True

    def on_touch_up(self, touch: Any) -> bool:
        return bool(super().on_touch_up(touch)) if self.overlay is None else True
