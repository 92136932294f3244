"""What a USB stick of the city is doing on this node, in plain words for who carries it. Pure.

Kiosk and portal say the same sentences; what a stick is and does is in `sync.stick`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

Translate = Callable[[str], str]


class StickState(StrEnum):
    WORKING = "working"
    DONE = "done"
    FULL = "full"
    """What fitted is on the stick; the rest waits here."""
    FAILED = "failed"
    """The stick was pulled out, or cannot be written."""
    REFUSED = "refused"
    """Not a stick of this city."""


@dataclass(frozen=True, slots=True)
class Trip:
    """How far a stick is. `step` is facts, attachments, acknowledgements or content; `done` of `total`.

    At the end `facts` and `files` are on the stick, and the city has confirmed `confirmed` facts.
    """

    state: StickState
    step: str = ""
    done: int = 0
    total: int = 0
    facts: int = 0
    files: int = 0
    confirmed: int = 0

    @property
    def is_over(self) -> bool:
        return self.state is not StickState.WORKING

    @property
    def is_good(self) -> bool:
        return self.state in (StickState.WORKING, StickState.DONE)


def trip_in_words(trip: Trip, _: Translate) -> str:
    """One or two short sentences: what happens, and whether it may be pulled out."""
    match trip.state:
        case StickState.WORKING:
            return _working(trip, _)
        case StickState.DONE if trip.facts or trip.files:
            text = _(
                "La memoria USB está lista. Lleva {facts} datos y {files} fotos. Ya puede sacarla."
            )
        case StickState.DONE if trip.confirmed:
            text = _(
                "La memoria USB está lista. La ciudad ya recibió {confirmed} datos. "
                "Ya puede sacarla."
            )
        case StickState.DONE:
            text = _("La memoria USB está lista. No había nada que llevar. Ya puede sacarla.")
        case StickState.FULL:
            text = _(
                "La memoria USB se llenó. Lleva {facts} datos. Lo demás sigue aquí. "
                "Ya puede sacarla."
            )
        case StickState.FAILED:
            text = _("La memoria USB no terminó. Nada se perdió: vuelva a meterla o use otra.")
        case StickState.REFUSED:
            text = _("Esta memoria USB no es de esta ciudad. No se tocó. Ya puede sacarla.")
    return text.format(
        facts=f"{trip.facts:,}", files=f"{trip.files:,}", confirmed=f"{trip.confirmed:,}"
    )


def _working(trip: Trip, _: Translate) -> str:
    if trip.step == "facts" and trip.total:
        text = _("Memoria USB: copia {done} de {total} datos. No la saque.")
    elif trip.step == "attachments" and trip.total:
        text = _("Memoria USB: copia {done} de {total} fotos. No la saque.")
    elif trip.step == "content":
        text = _("Memoria USB: trae información nueva de la ciudad. No la saque.")
    else:
        text = _("Memoria USB: trabajando. No la saque.")
    return text.format(done=f"{trip.done:,}", total=f"{trip.total:,}")
