"""Audio mode: what is said, when, and how amounts, dates and codes sound when read aloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kiosk.presenters.base import FocusItem, Role, View

Gettext = Callable[[str], str]


class Speaker(Protocol):
    """Says one text at a time; a new one silences the old."""

    def say(self, text: str) -> None: ...

    def stop(self) -> None: ...


def spell(text: str) -> str:
    """Characters one by one: `C O A 0 0 7, P 1`."""
    return ", ".join(" ".join(group) for group in text.replace(" ", "-").split("-") if group)


def say_amount(centavos: int, _: Gettext) -> str:
    """`7236 pesos con 9 centavos`, so that no voice reads a point or a comma."""
    pesos, cents = divmod(abs(centavos), 100)
    text = _("{pesos} pesos con {cents} centavos") if cents else _("{pesos} pesos")
    return text.format(pesos=pesos, cents=cents)


class AudioMode:
    """The listening person's place on the screen: five keys walk the focus order.

    `show` is called with every new view; while the mode is off nothing is said.
    """

    def __init__(self, speaker: Speaker, words: Gettext, activate: Callable[[str], None]) -> None:
        self._speaker = speaker
        self._words = words
        self._activate = activate
        self._view: View | None = None
        self._at = -1
        self.on = False

    @property
    def current(self) -> FocusItem | None:
        """The control that the next press would activate; None before the first step."""
        items = self._view.focus if self._view else ()
        return items[self._at] if 0 <= self._at < len(items) else None

    def toggle(self) -> None:
        self.on = not self.on
        if self.on:
            self.repeat()
        else:
            self._speaker.stop()

    def listen(self) -> None:
        """The "Escuchar" button: say the whole screen, mode or no mode."""
        if self._view is not None:
            self._speaker.say(self._view.speech)

    def show(self, view: View) -> None:
        """A new view: said when the screen or its words changed; the place is kept by id."""
        before, kept = self._view, self.current
        self._view = view
        same_screen = before is not None and before.screen is view.screen
        ids = [item.id for item in view.focus]
        self._at = ids.index(kept.id) if same_screen and kept and kept.id in ids else -1
        if self.on and (before is None or before.speech != view.speech or not same_screen):
            self._speaker.say(view.speech)

    def next(self) -> None:
        self._move(1)

    def previous(self) -> None:
        self._move(-1)

    def press(self) -> None:
        """Activate where the person is; a disabled control says so."""
        item = self.current
        if item is not None and item.enabled:
            self._activate(item.id)
        elif item is not None:
            self._speaker.say(self._spoken(item))

    def repeat(self) -> None:
        """Say again: the control, or the screen when no control was chosen."""
        item = self.current
        if item is not None:
            self._speaker.say(self._spoken(item))
        else:
            self.listen()

    def wipe(self) -> None:
        """The next person starts in silence."""
        self.on = False
        self._view = None
        self._at = -1
        self._speaker.stop()

    def _move(self, step: int) -> None:
        items = self._view.focus if self._view else ()
        if not items:
            return
        start = self._at if self._at >= 0 or step > 0 else 0
        self._at = (start + step) % len(items)
        self._speaker.say(self._spoken(items[self._at]))

    def _spoken(self, item: FocusItem) -> str:
        _ = self._words
        roles = {
            Role.BUTTON: _("botón"),
            Role.FIELD: _("campo"),
            Role.ITEM: _("opción"),
            Role.CHECK: _("casilla"),
        }
        role = roles.get(item.role, "")
        state = "" if item.enabled else _("no disponible")
        return ", ".join(part for part in (item.speech, role, state) if part)
