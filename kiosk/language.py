"""The language on the screen: a callable for `_` that can be switched while the kiosk runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Translate = Callable[[str], str]

SPANISH = "es_MX"
ENGLISH = "en"
OWN_NAMES: Mapping[str, str] = {SPANISH: "Español", ENGLISH: "English"}
"""Each language named in itself, so that whoever needs it can read it."""


class Words:
    """Translates msgids with the chosen catalogue; the first language is the one after every wipe."""

    def __init__(self, catalogues: Mapping[str, Translate]) -> None:
        self._catalogues = dict(catalogues)
        self._codes = tuple(self._catalogues)
        self._listeners: list[Callable[[], None]] = []
        self.code = self._codes[0]

    def __call__(self, msgid: str) -> str:
        return self._catalogues[self.code](msgid) if msgid else ""

    @property
    def next_code(self) -> str:
        """The language that one press of the language button brings."""
        return self._codes[(self._codes.index(self.code) + 1) % len(self._codes)]

    def switch(self, code: str) -> None:
        """Speak another language; listeners redraw. KeyError for a language without catalogue."""
        if code not in self._catalogues:
            raise KeyError(code)
        if code != self.code:
            self.code = code
            for listener in tuple(self._listeners):
                listener()

    def reset(self) -> None:
        """The next person starts in the city's language."""
        self.switch(self._codes[0])

    def subscribe(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)


def untranslated() -> Words:
    """The msgids themselves in every language: tests and tools."""
    return Words({SPANISH: lambda text: text, ENGLISH: lambda text: text})
