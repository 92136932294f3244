"""Putting a node up: what is still missing, and the site code that opens the technician's acts once.

Before the city's first list of technicians there is no card that could open anything. What the checklist
says names no person and no secret, so anybody may read it and print it, a few times; tests and the
state of every device ask for the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from kiosk.usecases.technician_desk import NotAllowed, Round, TechnicianDesk
from kiosk.usecases.technician_progress import Access, LoggedIn, LoggedOut, Progress
from municipio.acceptance import (
    AcceptanceStep,
    Gettext,
    Sight,
    Snapshot,
    acceptance_steps,
    is_accepted,
)
from municipio.clock import Instant
from municipio.devices import Printer, PrintResult, PrintVerdict
from municipio.receipts import Paper
from municipio.technicians import IDLE_MS, Role, SessionEnd, Technician
from municipio.usecases.ports import NotRecorded
from sync.site_code import CodeAnswer

SITE_BADGE = "SITIO"
"""Stands where a badge number would: the acts of who opened with the site code."""

MOST_SHEETS = 5
"""A start: nobody empties the roll for fun."""

_INSTALLER = Technician(SITE_BADGE, b"", frozenset({Role.SERVICE}), date.min, date.max)


class Code(Protocol):
    """`sync.site_code.SiteCode`. Both block."""

    def may_open(self) -> bool: ...

    def try_code(self, code: str) -> CodeAnswer: ...


class Sights(Protocol):
    """What this node has seen: `sync.acceptance.SightBook` with its link and printer."""

    def note(self, sight: Sight) -> None: ...

    def snapshot(self) -> Snapshot: ...


@dataclass(frozen=True, slots=True)
class Look:
    """`faults` are of the site's file; `round` is None until the code opened."""

    steps: tuple[AcceptanceStep, ...]
    faults: tuple[str, ...]
    may_open: bool
    round: Round | None


class CodeDoor:
    """Who is there, for `TechnicianDesk`: whoever opened with the code, for half an hour without a touch."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._until_ms = -1

    def open(self) -> None:
        self.touch(force=True)

    def touch(self, *, force: bool = False) -> None:
        if force or self.is_open:
            self._until_ms = self._now().boot_ms + IDLE_MS

    def close(self) -> None:
        self._until_ms = -1

    @property
    def is_open(self) -> bool:
        return self._now().boot_ms < self._until_ms

    def progress(self) -> Progress:
        if not self.is_open:
            return LoggedOut(SessionEnd.ASKED)
        left_s = (self._until_ms - self._now().boot_ms) // 1000
        return LoggedIn(_INSTALLER, Access.FULL, None, left_s, None)


class InstallationDesk:
    """Every method but `touch` and `close` may block."""

    def __init__(
        self,
        door: CodeDoor,
        work: TechnicianDesk,
        code: Code,
        sights: Sights,
        faults: Callable[[], tuple[str, ...]],
        sheet: Callable[[tuple[AcceptanceStep, ...], Gettext], Paper],
        printer: Printer | None,
    ) -> None:
        self._door = door
        self._work = work
        self._code = code
        self._sights = sights
        self._faults = faults
        self._sheet = sheet
        self._printer = printer
        self._sheets = 0

    @property
    def is_open(self) -> bool:
        return self._door.is_open

    @property
    def has_printer(self) -> bool:
        return self._printer is not None

    def look(self, _: Gettext) -> Look:
        round_ = self._work.look() if self._door.is_open else None
        return Look(
            steps=acceptance_steps(self._sights.snapshot(), _),
            faults=self._faults(),
            may_open=self._code.may_open(),
            round=round_ if isinstance(round_, Round) else None,
        )

    def open(self, code: str) -> CodeAnswer:
        answer = self._code.try_code(code)
        if answer is CodeAnswer.OPENED:
            self._door.open()
        return answer

    def print_test(self) -> PrintResult | NotAllowed | NotRecorded:
        return self._noted(self._work.print_test())

    def print_sheet(self, _: Gettext) -> PrintResult | NotAllowed | NotRecorded:
        """The sheet says that the printer works only once a paper came out: so the second one does.

        Free, because the code is spent before the last thing, the power cut, is done; but few a start.
        """
        if self._printer is None or self._sheets >= MOST_SHEETS:
            return NotAllowed()
        self._sheets += 1
        steps = acceptance_steps(self._sights.snapshot(), _)
        paper = self._sheet(steps, _)
        ended = self._noted(self._printer.print_rendered(self._printer.render(paper)))
        self.accept()
        return ended

    def accept(self) -> None:
        """The technician goes: where nothing is missing, the list does not come up by itself any more."""
        if is_accepted(acceptance_steps(self._sights.snapshot(), str)):
            self._sights.note(Sight.ACCEPTED)

    def _noted(
        self, ended: PrintResult | NotAllowed | NotRecorded
    ) -> PrintResult | NotAllowed | NotRecorded:
        if isinstance(ended, PrintResult) and ended.verdict is PrintVerdict.PRINTED:
            self._sights.note(Sight.RECEIPT)
        return ended

    def touch(self) -> None:
        self._door.touch()

    def close(self) -> None:
        """Lock, and close what was opened only to be looked at."""
        self._door.close()
        self._work.rest()
