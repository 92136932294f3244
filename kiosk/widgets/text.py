"""Words and icons. Text never runs out of its box: it steps down the fixed scale until it fits."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from kiosk.widgets import skin

SCALE = ("giant", "display", "title", "heading", "body", "small", "caption")


class Words(Label):  # type: ignore[misc]  # kivy has no type information
    """Text in one of the theme's sizes and tones.

    With `grow` the height follows the text. Otherwise the box is given, and the text takes the
    largest size from `role` down to `caption` with which it fits whole.
    """

    size_hint_y: Any
    height: Any
    role = StringProperty("body")
    tone = StringProperty("ink")
    weight = StringProperty("regular")
    grow = BooleanProperty(False)
    limit = NumericProperty(0)
    """The most a growing text may grow to, in dots; 0: as far as it needs."""
    hug = BooleanProperty(False)
    """The width follows the text too: one line, never wrapped."""

    def __init__(self, **kwargs: Any) -> None:
        self._fit_soon = Clock.create_trigger(self._fit, -1)
        self._tall = 0
        kwargs.setdefault("font_name", skin.font(kwargs.get("weight", "regular")))
        kwargs.setdefault("font_size", skin.size(kwargs.get("role", "body")))
        kwargs.setdefault("color", skin.color(kwargs.get("tone", "ink")))
        kwargs.setdefault("halign", "left")
        kwargs.setdefault("valign", "middle")
        kwargs.setdefault("line_height", 1.08)
        super().__init__(**kwargs)
        for name in ("text", "size", "role", "grow", "hug", "limit"):
            self.fbind(name, self._fit_soon)
        self.fbind("weight", self._dress)
        self.fbind("tone", self._dress)
        self._dress()

    def _dress(self, *_: Any) -> None:
        self.font_name = skin.font(self.weight, self.text)
        self.color = skin.color(self.tone)
        self._fit_soon()

    def _fit(self, *_: Any) -> None:
        self.font_name = skin.font(self.weight, self.text)
        if self.hug:
            self._render(self.role, None)
            self.size_hint = (None, self.size_hint_y)
            self.width = self.texture_size[0]
        else:
            for role in SCALE[SCALE.index(self.role) :]:
                self._render(role, self.width)
                self._tall = self.texture_size[1]
                if self.fits():
                    break
            if not self.grow and self.valign != "middle":
                self.text_size = (self.width, max(self.height, self._tall))
        if self.grow or (self.hug and self.size_hint_y is None):
            self.size_hint_y = None
            self.height = self.texture_size[1]

    def _render(self, role: str, width: float | None) -> None:
        self.font_size = skin.size(role)
        self.text_size = (width, None)
        self.texture_update()

    def fits(self) -> bool:
        """True when every word stands whole inside the box."""
        if not self.text or self.hug:
            return True
        room = (self.limit or self._tall) if self.grow else self.height
        tall = self._tall > room + 1
        return not tall and self._longest_word() <= self.width + 1

    def _longest_word(self) -> int:
        pen = CoreLabel(font_name=self.font_name, font_size=self.font_size)
        return max((pen.get_extents(word)[0] for word in self.text.split()), default=0)


def clip_to_lines(text: str, weight: str, role: str, width: float, lines: int) -> str:
    """The words that stand in so many lines of a width, with "…" where something was left out."""
    pen = CoreLabel(font_name=skin.font(weight, text), font_size=skin.size(role))
    done, line = 0, ""
    kept: list[str] = []
    for word in text.split():
        longer = f"{line} {word}".strip()
        last = done == lines - 1
        if pen.get_extents(f"{longer}…" if last else longer)[0] <= width or not line:
            line = longer
        elif last:
            return " ".join([*kept, line]) + "…"
        else:
            kept.append(line)
            done, line = done + 1, word
    return text


class Icon(Widget):  # type: ignore[misc]  # kivy has no type information
    """One line icon, drawn square in the middle of its box and tinted by tone."""

    name = StringProperty("")
    tone = StringProperty("ink")
    dots = NumericProperty(36)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        from kivy.graphics import Color, Rectangle

        with self.canvas:
            self._ink = Color(rgba=skin.color(self.tone))
            self._rect = Rectangle()
        self._draw_soon = Clock.create_trigger(self._draw, -1)
        for name in ("name", "tone", "dots"):
            self.fbind(name, self._draw_soon)
        self.fbind("pos", self._place)
        self.fbind("size", self._place)
        self._draw_soon()

    def _draw(self, *_: Any) -> None:
        self._ink.rgba = skin.color(self.tone) if self.name else (0, 0, 0, 0)
        if self.name:
            self._rect.texture = icon_texture(self.name, int(self.dots))
        self._place()

    def _place(self, *_: Any) -> None:
        texture = self._rect.texture
        if texture is None:
            return
        width, height = texture.size
        self._rect.size = (width, height)
        self._rect.pos = (
            round(self.x + (self.width - width) / 2),
            round(self.y + (self.height - height) / 2),
        )


_textures: dict[tuple[str, int], Any] = {}


def icon_texture(name: str, dots: int) -> Any:
    """A white texture of an icon, made once per size; tint it when drawing."""
    key = (name, dots)
    if key not in _textures:
        label = CoreLabel(
            text=skin.icon(name), font_name=skin.font("icons"), font_size=dots, font_hinting=None
        )
        label.refresh()
        _textures[key] = label.texture
    return _textures[key]
