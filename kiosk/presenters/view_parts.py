"""Small values that several views are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a keypad or keyboard: `activate(id)` types it. `wide` keys are drawn wider."""

    id: str
    label: str
    speech: str
    enabled: bool = True
    icon: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A label and its value, in a summary."""

    label: str
    value: str
    strong: bool = False
