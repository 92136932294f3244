"""What a logged-in technician sees and does: a look at everything, a test strip, paper, the cash cut.

Every method may block, and every act first asks the login who is there: a screen that is late cannot
act for somebody who has left. Acts are facts with the badge number.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from hardware.health.state import Finding, Health
from kiosk.usecases.cash_box import (
    CashBoxDesk,
    CashCut,
    HopperFilled,
    NeedsTwoPeople,
    PaymentOpen,
)
from kiosk.usecases.technician_progress import Access, LoggedIn, Progress
from municipio.cash import CashBox
from municipio.clock import Instant
from municipio.devices import DeviceStatus, Printer, PrintResult
from municipio.facts import FactDraft, FactType
from municipio.receipts import Paper
from municipio.technicians import Role, Technician
from municipio.usecases.ports import Ledger, LinkReport, NotRecorded
from sync.doctor_note import DoctorNote

HALF_CUT_MS = 10 * 60 * 1000
"""So long the first signature of a cut waits for the second person."""


class Watched(Protocol):
    def status(self) -> DeviceStatus: ...

    def close(self) -> None: ...


class WatchedHealth(Protocol):
    def health(self) -> Health | None: ...

    def close(self) -> None: ...


class Door(Protocol):
    """The part of `TechnicianLogin` that tells who is there."""

    def progress(self) -> Progress: ...


@dataclass(frozen=True, slots=True)
class HalfCut:
    """A cut that one person signed; it is not recorded yet."""

    by: str
    counted_centavos: int
    hopper_coins: int
    boot_ms: int


@dataclass(frozen=True, slots=True)
class Round:
    """One look at everything. `health` is None while nothing was judged; `box` without cash;
    `examination` where the doctor did not look lately."""

    devices: tuple[tuple[str, DeviceStatus], ...]
    health: tuple[Finding, ...] | None
    link: LinkReport
    content_date: date | None
    box: CashBox | None = None
    half_cut: HalfCut | None = None
    examination: DoctorNote | None = None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nobody is logged in any more, or not with this right. Nothing was done."""


@dataclass(frozen=True, slots=True)
class TechnicianPlant:
    """What there is to look at. `held` devices are the kiosk's own, `others` are opened to look."""

    link: Callable[[], LinkReport]
    content_date: Callable[[], date | None]
    held: Mapping[str, Callable[[], DeviceStatus]]
    others: Mapping[str, Callable[[], Watched]] = field(default_factory=dict)
    health: Callable[[], WatchedHealth] | None = None
    printer: Printer | None = None
    strip: Callable[[], Paper] | None = None
    box: CashBoxDesk | None = None
    two_person: bool = True
    has_hopper: bool = False
    hopper_coin_centavos: int = 100
    examination: Callable[[], DoctorNote | None] = lambda: None


class TechnicianDesk:
    """What is only looked at is open from the first `look` to `rest`."""

    def __init__(
        self, door: Door, ledger: Ledger, plant: TechnicianPlant, now: Callable[[], Instant]
    ) -> None:
        self._door = door
        self._ledger = ledger
        self._plant = plant
        self._now = now
        self._lock = threading.Lock()
        self._open: dict[str, Watched] = {}
        self._health: WatchedHealth | None = None
        self._half: HalfCut | None = None

    @property
    def has_printer(self) -> bool:
        return self._plant.printer is not None and self._plant.strip is not None

    @property
    def has_cash(self) -> bool:
        return self._plant.box is not None

    @property
    def has_hopper(self) -> bool:
        return self._plant.has_hopper

    def look(self) -> Round | NotAllowed:
        plant = self._plant
        with self._lock:
            if self._who() is None:
                return NotAllowed()
            if self._health is None and plant.health is not None:
                self._health = plant.health()
            for name, build in plant.others.items():
                if name not in self._open:
                    self._open[name] = build()
            looked = [(name, status()) for name, status in plant.held.items()]
            looked += [(name, device.status()) for name, device in self._open.items()]
            judged = self._health.health() if self._health is not None else None
        return Round(
            devices=tuple(looked),
            health=None if judged is None else judged.findings,
            link=plant.link(),
            content_date=plant.content_date(),
            box=None if plant.box is None else plant.box.inside(),
            half_cut=self._waiting_cut(),
            examination=plant.examination(),
        )

    def rest(self) -> None:
        """Nobody looks any more: close what was opened only to look."""
        with self._lock:
            opened = list(self._open.values())
            if self._health is not None:
                self._health.close()
            self._open, self._health = {}, None
        for device in opened:
            device.close()

    def print_test(self) -> PrintResult | NotAllowed | NotRecorded:
        """The strip that shows every feature of a paper once."""
        who, printer, strip = self._may(Role.SERVICE), self._plant.printer, self._plant.strip
        if who is None or printer is None or strip is None:
            return NotAllowed()
        result = printer.print_rendered(printer.render(strip()))
        cause = result.cause or result.verdict.value
        return self._record(who, "print_test", cause) or result

    def paper_loaded(self) -> DeviceStatus | NotAllowed | NotRecorded:
        """A new roll is in; what the printer says of it goes on record."""
        who, printer = self._may(Role.SERVICE), self._plant.printer
        if who is None or printer is None:
            return NotAllowed()
        status = printer.status()
        return self._record(who, "paper_loaded", status.cause or status.state.value) or status

    def may_cut(self) -> bool:
        """Money asks for full access: a sure date and a witness that records."""
        return self.has_cash and self._may(Role.CASH, full=True) is not None

    def sign_cut(
        self, counted_centavos: int, hopper_coins: int
    ) -> CashCut | HalfCut | PaymentOpen | NotAllowed | NotRecorded:
        """The only signature, or the first of two."""
        who, box = self._may(Role.CASH, full=True), self._plant.box
        if who is None or box is None:
            return NotAllowed()
        if self._plant.two_person:
            self._half = HalfCut(who.id, counted_centavos, hopper_coins, self._now().boot_ms)
            return self._half
        ended = box.cut((who.id,), counted_centavos, hopper_coins)
        assert not isinstance(ended, NeedsTwoPeople), "desk and box disagree about the rule"
        return ended

    def confirm_cut(self) -> CashCut | PaymentOpen | NotAllowed | NotRecorded:
        """The second person agrees with what the first counted."""
        who, box, half = self._may(Role.CASH, full=True), self._plant.box, self._waiting_cut()
        if who is None or box is None or half is None or half.by == who.id:
            return NotAllowed()
        ended = box.cut((half.by, who.id), half.counted_centavos, half.hopper_coins)
        if isinstance(ended, NeedsTwoPeople):
            return NotAllowed()
        if isinstance(ended, CashCut):
            self._half = None
        return ended

    def fill_hopper(
        self, coins_inside: int
    ) -> HopperFilled | PaymentOpen | NotAllowed | NotRecorded:
        """Coins for change were put in, without a cut; one signature: money only came in."""
        who, box = self._may(Role.CASH, full=True), self._plant.box
        if who is None or box is None or not self._plant.has_hopper:
            return NotAllowed()
        return box.fill_hopper((who.id,), self._plant.hopper_coin_centavos, coins_inside)

    def _waiting_cut(self) -> HalfCut | None:
        half = self._half
        if half is not None and self._now().boot_ms - half.boot_ms > HALF_CUT_MS:
            half = self._half = None
        return half

    def _who(self) -> LoggedIn | None:
        progress = self._door.progress()
        return progress if isinstance(progress, LoggedIn) else None

    def _may(self, role: Role, *, full: bool = False) -> Technician | None:
        inside = self._who()
        if inside is None or role not in inside.technician.roles:
            return None
        return None if full and inside.access is not Access.FULL else inside.technician

    def _record(self, who: Technician, action: str, cause: str) -> NotRecorded | None:
        data = {"action": action, "technician": who.id, "cause": cause}
        recorded = self._ledger.record(FactDraft(FactType.TECHNICIAN_ACTED, data))
        return recorded if isinstance(recorded, NotRecorded) else None
