"""The printer's state while a screen is up: paper that runs out or comes back is told at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.presenters.base import Desk
from kiosk.usecases.debt import Debt
from kiosk.usecases.printing import PrintDesk

LOOK_S = 0.5


class LivePrinter:
    """Asks twice a second, one question at a time, never on the screen's thread."""

    def __init__(self, desk: Desk, printing: PrintDesk) -> None:
        self._background = desk.background
        self._printing = printing
        self._asking = False
        self._next_s = float("-inf")

    def tick(self, now_s: float, told: Callable[[str], None]) -> None:
        """`told` hears why the printer cannot print, empty when it can."""
        if self._asking or now_s < self._next_s:
            return
        self._asking, self._next_s = True, now_s + LOOK_S

        def answered(cause: str) -> None:
            self._asking = False
            told(cause)

        self._background.run(self._printing.cause, answered)


def with_printer(debt: Debt | None, cause: str) -> Debt | None:
    """The same debt, told with the printer of now."""
    return (
        debt if debt is None or debt.printer_cause == cause else replace(debt, printer_cause=cause)
    )
