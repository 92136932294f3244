"""The view of paying in cash."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.presenters.base import Action, Notice, Tone, View
from kiosk.presenters.view_parts import Row


class CashPhase(StrEnum):
    ASKING_CITY = "asking_city"
    CONFIRM = "confirm"
    STARTING = "starting"
    INSERTING = "inserting"
    CLOSING = "closing"
    CHANGE = "change"
    """Coins are coming out: change, or what was inserted."""
    END = "end"


class CashEnd(StrEnum):
    """Every end of a cash payment that is not simply a receipt."""

    NOT_READY = "not_ready"
    """Nothing was started."""
    CANCELLED = "cancelled"
    OWED = "owed"
    """Cut short with money inside."""
    CHANGE_OWED = "change_owed"
    """The debt is paid and change is missing."""
    IN_DOUBT = "in_doubt"
    """Somebody must count the box."""
    STUCK = "stuck"
    """The machine does not say how it ended; the node goes on asking it."""
    NOT_SAVED = "not_saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagoEfectivoView(View):
    """`figures` are what is to pay, what is inside and what is missing; `accepted` what may go in.

    `end` is set in the phase END alone. `amount` is what cash pays, empty until it is known.
    `actions`: cash.start / cash.no, cash.cancel / cash.more_time, cash.print / cash.pase / cash.done.
    """

    phase: CashPhase
    end: CashEnd | None
    headline: str
    text: str
    emphasis: str
    amount: str
    figures: tuple[Row, ...]
    accepted_heading: str
    accepted: tuple[Row, ...]
    folio: str
    promise: str
    icon: str
    tone: Tone
    notices: tuple[Notice, ...]
    actions: tuple[Action, ...]
    seconds_left: int = 0
