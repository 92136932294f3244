"""Joins flow, presenters and screens: which presenter is up, which body draws it, when to forget.

Everything here runs on the main thread. Bodies are built on their first visit and thrown away when the
person changes (privacy) or the language does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kivy.clock import Clock

from kiosk.flow import Place, Screen
from kiosk.house import House
from kiosk.presenters.base import Presenter, View
from kiosk.presenters.views import HeaderView, IdleView
from kiosk.screens.base import ScreenBody, build_body, dress_button, forward
from kiosk.screens.frame import Stage

TICK_S = 0.25
WATCH_S = 0.1
"""A card taken out ends its session at once, not a tick later."""

MONEY_SCREENS = frozenset({Screen.PAGO_TARJETA, Screen.PAGO_EFECTIVO})


class Conductor:
    """Shows where the flow is, and nothing that it is not."""

    def __init__(self, house: House, stage: Stage) -> None:
        self._house = house
        self._stage = stage
        self._bodies: dict[Screen, ScreenBody] = {}
        self._presenter: Presenter[Any] | None = None
        self._stop: Callable[[], None] = lambda: None
        self._screen = Screen.HOME
        self._draw_soon = Clock.create_trigger(self._draw, -1)
        self._money_actions: tuple[str, ...] = ()
        house.flow.on_place = self._go
        house.flow.on_idle = house.idle.show
        house.flow.on_wipe = self._wipe
        house.idle.subscribe(self._show_idle)
        house.header.subscribe(self._show_header)
        house.words.subscribe(self._retell)

    @property
    def screen(self) -> Screen:
        """The screen that is drawn."""
        return self._screen

    def start(self) -> None:
        """Draw where the flow is and begin to look at the clock."""
        self._show_header(self._house.header.view)
        self._go(self._house.flow.place)
        Clock.schedule_interval(self.tick, TICK_S)
        if self._house.watch is not None:
            Clock.schedule_interval(self._watch, WATCH_S)

    def stop(self) -> None:
        Clock.unschedule(self.tick)
        Clock.unschedule(self._watch)
        self._house.close()

    def touched(self) -> None:
        self._house.flow.touched(time.monotonic())

    def activate(self, key: str) -> None:
        """Press a control of the screen that is up."""
        if self._presenter is not None:
            self._presenter.activate(key)

    def tick(self, *_: Any) -> None:
        now = time.monotonic()
        presenter = self._presenter
        self._house.flow.tick(now, busy=presenter is not None and presenter.view.busy)
        self._house.header.tick(now)
        if self._presenter is not None:
            self._presenter.tick(now)
        here = self._house.audio.current
        self._stage.ring("" if here is None else here.id)

    def _watch(self, *_: Any) -> None:
        if self._house.watch is not None:
            self._house.watch()

    def _go(self, place: Place) -> None:
        if self._presenter is not None:
            self._stop()
            self._presenter.leave()
        broken = Screen.FUERA_DE_SERVICIO
        screen = place.screen if place.screen in self._house.presenters else broken
        presenter = self._house.presenters[screen]
        self._presenter, self._screen = presenter, screen
        self._stop = presenter.subscribe(lambda _: self._draw_soon())
        presenter.enter(**place.params)
        presenter.tick(time.monotonic())
        self._draw_soon()

    def _draw(self, *_: Any) -> None:
        presenter = self._presenter
        if presenter is None:
            return
        if self._screen not in self._bodies:
            self._bodies[self._screen] = build_body(self._screen, presenter.activate)
        self._guard_money(presenter.view)
        self._stage.frame.show(self._bodies[self._screen], presenter.view, presenter.activate)
        self._house.audio.show(presenter.view)

    def _guard_money(self, view: View) -> None:
        """A second press of a hurried finger must not fall on the button that just took its place."""
        if self._screen not in MONEY_SCREENS:
            self._money_actions = ()
            return
        actions = tuple(a.id for a in getattr(view, "actions", ()))
        if self._money_actions and actions != self._money_actions:
            self._stage.guard.swallow()
        self._money_actions = actions

    def _show_header(self, view: HeaderView) -> None:
        self._stage.frame.show_header(view)

    def _show_idle(self, view: IdleView) -> None:
        if not view.visible:
            self._stage.drop_overlay()
            return
        if self._stage.overlay is None:
            from kiosk.widgets.overlay import Question

            question = Question("hand")
            for button in (question.yes, question.no):
                forward(button, self._house.idle.activate)
            self._stage.raise_overlay(question)
        question = self._stage.overlay
        question.title.text, question.sentence.text = view.title, view.text
        dress_button(question.yes, view.stay)
        dress_button(question.no, view.finish)

    def _wipe(self) -> None:
        """Every trace of the person goes: presenters' state, typed texts, drawn widgets, language."""
        for presenter in self._house.presenters.values():
            presenter.wipe()
        self._house.words.reset()
        self._house.audio.wipe()
        self._house.forget()
        self._bodies.clear()
        self._stage.guard.swallow()

    def _retell(self) -> None:
        self._bodies.clear()
        self._draw_soon()
