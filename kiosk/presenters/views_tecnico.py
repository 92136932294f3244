"""The view of the technician's place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.presenters.base import Action, Notice, Tone, View
from kiosk.presenters.view_parts import Key


class TecnicoPhase(StrEnum):
    READING = "reading"
    REFUSED = "refused"
    LAST_TRY = "last_try"
    PIN = "pin"
    CHECKING = "checking"
    WAIT = "wait"
    PAGE = "page"
    CUT_COUNT = "cut_count"
    CUT_HOPPER = "cut_hopper"
    CUT_REVIEW = "cut_review"
    HOPPER_FILL = "hopper_fill"
    OUT = "out"


TYPING = frozenset(
    {
        TecnicoPhase.PIN,
        TecnicoPhase.CUT_COUNT,
        TecnicoPhase.CUT_HOPPER,
        TecnicoPhase.HOPPER_FILL,
    }
)
"""Phases with a keypad."""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One thing and how it is; `tone` and `icon` say the same as `text`."""

    id: str
    label: str
    text: str
    icon: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class TecnicoView(View):
    """`typed` is what the keypad wrote: for a PIN only dots. PAGE has `groups` of a heading and rows.

    `keys`: tecnico.key.0..9, .erase, .clear in the `TYPING` phases, which also have tecnico.enter and
    tecnico.cancel. The page's actions: tecnico.print, tecnico.paper, tecnico.cut, tecnico.confirm,
    tecnico.fill, tecnico.stay, tecnico.logout.
    """

    phase: TecnicoPhase
    headline: str
    text: str
    typed: str
    keys: tuple[tuple[Key, ...], ...]
    groups: tuple[tuple[str, tuple[StatusRow, ...]], ...]
    notices: tuple[Notice, ...]
    actions: tuple[Action, ...]
    icon: str = "wrench"
    tone: Tone = Tone.SEA
