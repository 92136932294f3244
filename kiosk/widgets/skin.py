"""The theme in use, where widgets and .kv files find it. Set once, before the first widget is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kiosk.assets import icon_character, needs_fallback
from kiosk.theme import FALLBACK_FILES, FONT_FILES, Rgba, Theme, make_metrics, make_theme

Translate = Callable[[str], str]
T = TypeVar("T")

_theme: Theme = make_theme(make_metrics(1280, 800, 149))
_words: Translate = str


def use(theme: Theme) -> None:
    """Choose the theme; widgets made before keep the look they have and must be made anew."""
    global _theme
    _theme = theme


def speak_with(words: Translate) -> None:
    """The few words that widgets themselves say come from this catalogue."""
    global _words
    _words = words


def translate(msgid: str) -> str:
    return _words(msgid)


def theme() -> Theme:
    return _theme


def px(drawn: float) -> int:
    """A length of the 1280 x 800 drawing, in dots of this screen."""
    return _theme.metrics.dots(drawn)


def color(name: str) -> Rgba:
    return _theme.color(name)


def accent_ground(accent: str) -> str:
    return f"{accent}-pale"


def accent_stroke(accent: str) -> str:
    """The colour that draws an icon on an accent's ground."""
    return f"{accent}-icon" if f"{accent}-icon" in _theme.colors else accent


def size(role: str) -> int:
    """A text size of the fixed scale: display, title, heading, body, small, caption."""
    return _theme.metrics.type_sizes[role]


def font(weight: str, text: str = "") -> str:
    """The file that draws a text in a weight."""
    return str((FALLBACK_FILES if needs_fallback(text) else FONT_FILES)[weight])


def target() -> int:
    """The least side of a touch target, in dots."""
    return _theme.metrics.target


def gap() -> int:
    """The least distance between targets, in dots."""
    return _theme.metrics.gap


def is_portrait() -> bool:
    return _theme.metrics.height > _theme.metrics.width


def is_tall() -> bool:
    """True on a portrait screen with room for what a wide one sets side by side."""
    return _theme.metrics.tall


def flow() -> str:
    """How the halves of a body stand: side by side, or one below the other on a tall screen."""
    return pick("horizontal", "vertical")


def pick(wide: T, tall: T) -> T:
    """What holds on a wide screen, or what holds on a tall one."""
    return tall if is_tall() else wide


def bar_height() -> int:
    """The bottom bar's height; on a tall screen its words stand below their icons."""
    return max(px(pick(104, 112)), target() + 4)


def reach() -> int:
    """How high above the bottom bar something to press may stand, in dots."""
    return _theme.metrics.reach - bar_height()


def stack_height(count: int, drawn: float) -> int:
    """How high so many buttons are below each other, each at least as high as drawn and as a finger needs."""
    return count * max(target(), px(drawn)) + max(count - 1, 0) * gap()


def row_height(count: int, drawn: float) -> int:
    """How high a row of so many buttons is; a tall screen sets them below each other."""
    return stack_height(count if is_tall() else min(count, 1), drawn)


def icon(name: str) -> str:
    return icon_character(name)
