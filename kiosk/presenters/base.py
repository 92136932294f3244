"""What every presenter is: a frozen view that is replaced on change, subscribers, and intents.

A presenter keeps private state, renders it into a view with `_render` and never blocks: ports that may
wait go through `Desk.background`. `activate(id)` is the door for every control: touch, key or remote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from kiosk.background import Background
from kiosk.flow import Screen
from kiosk.language import OWN_NAMES, Words
from kiosk.presenters.watched import Watched
from municipio.clock import Clock
from municipio.settings import Settings


class Role(StrEnum):
    """What audio mode calls a control."""

    BUTTON = "button"
    KEY = "key"
    FIELD = "field"
    ITEM = "item"
    CHECK = "check"


class Tone(StrEnum):
    """Which pair of theme colours a thing wears; never the only carrier of meaning."""

    SEA = "sea"
    LEAF = "leaf"
    SUN = "sun"
    CLAY = "clay"
    PLUM = "plum"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class FocusItem:
    """One stop of the focus order. `id` is stable (`home.tramites`); `speech` is what audio mode says."""

    id: str
    label: str
    speech: str
    role: Role = Role.BUTTON
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """A button: `activate(id)` presses it. `icon` is a lucide name; `primary` is the filled one."""

    id: str
    label: str
    detail: str = ""
    icon: str = ""
    tone: Tone = Tone.SEA
    enabled: bool = True
    primary: bool = False
    selected: bool = False

    def focus(self, role: Role = Role.BUTTON) -> FocusItem:
        """Its stop in the focus order."""
        said = f"{self.label}. {self.detail}" if self.detail else self.label
        return FocusItem(self.id, self.label, said, role, self.enabled)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that must be seen, with its icon."""

    text: str
    tone: Tone = Tone.SEA
    icon: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every screen has. `bar` is the bottom bar; `busy` stops the idle timer and the way back.

    `step` of `steps` is shown as progress when `steps` is not 0. `lead` says below the title what to do,
    where a tall screen has room for it.
    """

    screen: Screen
    title: str
    speech: str
    focus: tuple[FocusItem, ...] = ()
    bar: tuple[Action, ...] = ()
    busy: bool = False
    step: int = 0
    steps: int = 0
    lead: str = ""


class Navigator(Protocol):
    def go(self, screen: Screen, **params: object) -> None: ...

    def back(self) -> None: ...

    def home(self) -> None: ...

    def end_session(self) -> None:
        """Home, and every trace of the person wiped."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What every presenter is given. `words` is `_`; `listen` says the current screen aloud.

    Without a voice `listen` is None, and no screen offers it.
    """

    words: Words
    navigator: Navigator
    background: Background
    clock: Clock
    settings: Settings
    listen: Callable[[], None] | None = None


V = TypeVar("V", bound=View)
T = TypeVar("T")


class Presenter(Watched[V]):
    """Base of all presenters. Subclasses set their state, then call `super().__init__(desk)`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = 0
        super().__init__(desk.words)

    # --- for screens

    def enter(self, **params: object) -> None:
        """The screen comes up, with the params of `Navigator.go`."""
        self.refresh()

    def leave(self) -> None:
        """The screen goes away. Answers still under way are ignored from now on."""
        self._turn += 1

    def tick(self, now_s: float) -> None:
        """Called right after `enter` and then about four times a second; seconds of a monotonic clock."""

    def wipe(self) -> None:
        """Forget the person."""
        self._turn += 1
        self._forget()
        self.refresh()

    def activate(self, id: str) -> None:
        """Press the control with this id. A disabled or unknown one does nothing."""
        if any(item.id == id and not item.enabled for item in self.view.focus):
            return
        if id.startswith("bar."):
            self._press_bar(id)
        else:
            self._press(id)

    # --- for subclasses

    def _forget(self) -> None:
        """Drop every trace of the person from the private state."""

    def _press(self, id: str) -> None:
        """Answer one of this screen's own controls."""

    def _translate(self, msgid: str) -> str:
        return self._desk.words(msgid)

    def _current(self, done: Callable[[T], None]) -> Callable[[T], None]:
        """`done`, unless the screen was left or wiped before the answer came."""
        turn = self._turn

        def deliver(value: T) -> None:
            if turn == self._turn:
                done(value)

        return deliver

    def _bar(self) -> tuple[Action, ...]:
        """Inner screens: back, start again, help, listen. Home and dead ends override it."""
        return inner_bar(self._desk.words, voice=self._desk.listen is not None)

    def _press_bar(self, id: str) -> None:
        if not any(a.id == id and a.enabled for a in self.view.bar):
            return
        go = self._desk.navigator
        words = self._desk.words
        presses: dict[str, Callable[[], None]] = {
            "bar.back": go.back,
            "bar.restart": go.end_session,
            "bar.help": lambda: go.go(Screen.AYUDA),
            "bar.listen": self._desk.listen or (lambda: None),
            "bar.folio": lambda: go.go(Screen.FOLIO),
            "bar.emergency": lambda: go.go(Screen.EMERGENCIAS),
            "bar.language": lambda: words.switch(words.next_code),
        }
        presses[id]()

    def _whole(self) -> V:
        view, bar = self._render(), self._bar()
        if view.busy:
            still = {"bar.listen", "bar.language"}
            bar = tuple(replace(a, enabled=a.id in still) for a in bar)
        return replace(view, bar=bar, focus=(*view.focus, *(a.focus() for a in bar)))


def home_bar(_: Words) -> tuple[Action, ...]:
    """The bar of the first screen: my folio, help, emergencies, language."""
    return (
        Action("bar.folio", _("Mi folio"), icon="ticket"),
        Action("bar.help", _("Ayuda"), icon="circle-help"),
        Action("bar.emergency", _("Emergencias"), icon="phone", tone=Tone.CLAY),
        _language(_),
    )


def inner_bar(_: Words, *, voice: bool) -> tuple[Action, ...]:
    """The bar of every other screen. Its last place is the voice, or the language where there is none."""
    listen = Action("bar.listen", _("Escuchar"), icon="volume-2")
    return (
        Action("bar.back", _("Atrás"), icon="arrow-left"),
        Action("bar.restart", _("Empezar de nuevo"), icon="rotate-ccw"),
        Action("bar.help", _("Ayuda"), icon="circle-help"),
        listen if voice else _language(_),
    )


def _language(_: Words) -> Action:
    return Action("bar.language", OWN_NAMES[_.next_code], icon="languages")
