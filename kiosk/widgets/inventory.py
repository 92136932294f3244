"""What a person can see and press right now, in window dots from the top left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kivy.uix.scrollview import ScrollView

from kiosk.widgets.text import Words
from kiosk.widgets.touch import Target


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `x`, `y` is its top left corner."""

    x: float
    y: float
    w: float
    h: float

    def cut(self, other: Box) -> Box:
        """The part of this box inside another; zero wide or high when there is none."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.w, other.x + other.w)
        bottom = min(self.y + self.h, other.y + other.h)
        return Box(left, top, max(0.0, right - left), max(0.0, bottom - top))

    def gap_to(self, other: Box) -> float:
        """Distance between the nearest edges; negative when they overlap."""
        dx = max(other.x - (self.x + self.w), self.x - (other.x + other.w))
        dy = max(other.y - (self.y + self.h), self.y - (other.y + other.h))
        return max(dx, dy)


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """One target: its whole box, and the part of it that can be seen and pressed."""

    id: str
    text: str
    enabled: bool
    box: Box
    visible: Box


@dataclass(frozen=True, slots=True)
class WordsInfo:
    """One text, whether it stands whole inside its box, and the box."""

    text: str
    fits: bool
    box: Box


def box_of(widget: Any, window_height: float) -> Box:
    x, y = widget.to_window(*widget.pos)
    return Box(x, window_height - y - widget.height, widget.width, widget.height)


def visible_targets(root: Any, size: tuple[float, float]) -> list[TargetInfo]:
    """Every target of which something can be seen, in drawing order."""
    found = []
    for widget, clip in _walk(root, Box(0, 0, *size), size[1]):
        if isinstance(widget, Target) and widget.key:
            box = box_of(widget, size[1])
            part = box.cut(clip)
            if part.w > 1 and part.h > 1:
                found.append(TargetInfo(widget.key, widget.text, widget.enabled, box, part))
    return found


def visible_words(root: Any, size: tuple[float, float]) -> list[WordsInfo]:
    """Every text of which something can be seen, in drawing order, with plain spaces."""
    found = []
    for widget, clip in _walk(root, Box(0, 0, *size), size[1]):
        if isinstance(widget, Words) and widget.text:
            box = box_of(widget, size[1])
            part = box.cut(clip)
            if part.w > 1 and part.h > 1:
                said = widget.text.replace("\N{NO-BREAK SPACE}", " ")
                found.append(WordsInfo(said, widget.fits(), box))
    return found


def _walk(widget: Any, clip: Box, window_height: float) -> Iterator[tuple[Any, Box]]:
    if widget.opacity == 0:
        return
    yield widget, clip
    if isinstance(widget, ScrollView):
        clip = clip.cut(box_of(widget, window_height))
    for child in reversed(widget.children):
        yield from _walk(child, clip, window_height)
