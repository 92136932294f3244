"""A node that is being put up: its notes and its site code, in memory (all demostración)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kiosk.flow import Screen
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.info import ArchivoDelSitioPresenter
from kiosk.presenters.puesta import PuestaPresenter
from kiosk.presenters.registry import Ports
from kiosk.simulated_technician import FixedHealth
from kiosk.usecases.installation import CodeDoor, InstallationDesk
from kiosk.usecases.technician_desk import TechnicianDesk, TechnicianPlant
from municipio.acceptance import Sight, Snapshot
from municipio.papers.acceptance import hoja_de_aceptacion
from municipio.receipts import Paper, PaperKind, Text
from sync.site_code import CodeAnswer

CODE = "40712885"


@dataclass
class InstallationCorner:
    """Implements `Code` and `Sights`. `is_waiting`: the first file is wrong, and `faults` say how."""

    seen: Snapshot = field(default_factory=lambda: Snapshot("good", code_waits=True))
    faults: tuple[str, ...] = ()
    is_waiting: bool = False
    tries_left: int = 10
    is_used: bool = False

    def join(self, desk: Desk, ports: Ports, presenters: dict[Screen, Presenter[Any]]) -> None:
        """Stand in a kiosk that starts."""
        if self.is_waiting:
            presenters[Screen.FUERA_DE_SERVICIO] = ArchivoDelSitioPresenter(desk, self.faults)
            return
        door = CodeDoor(desk.clock.now)
        held = {} if ports.printer is None else {"printer": ports.printer.status}
        plant = TechnicianPlant(
            link=ports.link.report,
            content_date=ports.catalogue.content_date,
            held=held,
            health=FixedHealth,
            printer=ports.printer,
            strip=lambda: Paper(PaperKind.FICHA, "", (Text("PRUEBA DE IMPRESORA"),)),
        )
        work = TechnicianDesk(door, ports.ledger, plant, desk.clock.now)
        self.desk = InstallationDesk(
            door, work, self, self, lambda: self.faults,
            lambda steps, _: hoja_de_aceptacion(
                desk.settings, _, steps=steps, printed_at=desk.clock.now().time, version="0.1.0"
            ),
            ports.printer,
        )  # fmt: skip
        presenters[Screen.PUESTA] = PuestaPresenter(desk, self.desk)

    def may_open(self) -> bool:
        return not self.is_used and self.tries_left > 0

    def try_code(self, code: str) -> CodeAnswer:
        if not self.may_open():
            return CodeAnswer.CLOSED
        self.tries_left -= 1
        self.is_used = code == CODE
        return CodeAnswer.OPENED if self.is_used else CodeAnswer.WRONG

    def note(self, sight: Sight) -> None:
        self.seen = replace(self.seen, sights=self.seen.sights | {sight})

    def snapshot(self) -> Snapshot:
        return self.seen
