"""Brings up the technician's screen when a card goes in and nobody is served, and ends it when it leaves.

Ticked with the screen, on its thread; nothing here blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kiosk.flow import Flow, Screen
from municipio.devices import Slot, SlotState

INSIDE = frozenset({SlotState.READING, SlotState.READY, SlotState.CARD_ERROR})


class Login(Protocol):
    def begin(self) -> None: ...


class DoorKeeper:
    """One card put in opens the screen once: to try again, take it out and put it in.

    `note(True)` while a card waits because a citizen is being served.
    """

    def __init__(
        self,
        flow: Flow,
        slot: Callable[[], Slot],
        login: Login,
        note: Callable[[bool], None],
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        """`touched` tells the flow that somebody is there, with its own clock."""
        self._flow = flow
        self._slot = slot
        self._login = login
        self._note = note
        self._touched = touched
        self._served = -1

    def tick(self) -> None:
        slot, screen = self._slot(), self._flow.place.screen
        if screen is Screen.TECNICO:
            if slot.state not in INSIDE or slot.insertion != self._served:
                self._flow.end_session()
            return
        waits = slot.state in INSIDE and slot.insertion != self._served
        if waits and screen is Screen.HOME and slot.state is not SlotState.READING:
            self._served = slot.insertion
            self._login.begin()
            self._touched()
            self._flow.go(Screen.TECNICO)
        self._note(waits and screen is not Screen.HOME)
