"""A technician, their card and the kiosk's reader in memory; people and badges are demostración.

The card is the same virtual PIV card that the real reader is tested with, without PC/SC between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hardware.card import protocol
from hardware.card.apdu import run
from hardware.card.protocol import Looked
from hardware.card.status import device_status
from hardware.card.virtual_piv import PrivateKey, VirtualPiv, new_key, public_der
from hardware.health.state import Cause, Finding, Health, Item, ItemState
from kiosk.flow import Flow, Screen
from kiosk.language import ENGLISH, SPANISH
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.registry import Ports
from kiosk.presenters.tecnico import TecnicoPresenter
from kiosk.technician_door import DoorKeeper
from kiosk.usecases.cash_box import CashBoxDesk
from kiosk.usecases.technician_desk import TechnicianDesk, TechnicianPlant
from kiosk.usecases.technician_login import TechnicianLogin
from municipio.devices import (
    CardGone,
    CardTrouble,
    DeviceState,
    DeviceStatus,
    Pin,
    Proof,
    Slot,
    SlotState,
)
from municipio.receipts import Paper, PaperKind, Text
from municipio.technicians import Guard, Role, Technician, TechnicianList
from sync.doctor_note import DoctorLine, DoctorNote

READER = "Lector de demostración"
PIN = "123456"
HEALTH = Health(
    (
        Finding(Item.SUPPLY, ItemState.OK, value=5080, unit="mV"),
        Finding(Item.TEMPERATURE, ItemState.ATTENTION, Cause.HOT, 74, "°C"),
        Finding(Item.SPACE, ItemState.OK, value=21400, unit="MiB"),
        Finding(Item.STORAGE_TEST, ItemState.OK),
    )
)


def _found(area: str, state: str, what: str, to_do: str) -> DoctorLine:
    """A demonstration's finding, as if nobody spoke another language."""
    return DoctorLine(
        area=area, state=state, what={SPANISH: what, ENGLISH: what},
        to_do={SPANISH: to_do, ENGLISH: to_do},
    )  # fmt: skip


EXAMINED = (
    _found("disk", "trouble", "Errores de la tarjeta de memoria desde el arranque: 3",
           "Cambie pronto la tarjeta. Cuáles son: journalctl -k -g mmc"),
    _found("filter", "notice", "La lista del filtro tiene 45 días",
           "Tráigala: plaza sync pull, o una memoria USB de la ciudad"),
    _found("services", "ok", "9 servicios en marcha", ""),
)  # fmt: skip


@dataclass
class MemoryReader:
    """A reader with or without a card; `cause` makes the reader itself fail."""

    card: VirtualPiv | None = None
    insertion: int = 0
    cause: str = ""

    def insert(self, card: VirtualPiv) -> None:
        self.card, self.insertion = card, self.insertion + 1

    def remove(self) -> None:
        self.card = None

    def status(self) -> DeviceStatus:
        return device_status(self.slot())

    def slot(self) -> Slot:
        if self.cause:
            return Slot(SlotState.UNKNOWN, self.cause, insertion=self.insertion)
        if self.card is None:
            return Slot(SlotState.NO_CARD, insertion=self.insertion)
        seen = run(protocol.look(), self.card.answer)
        if not isinstance(seen, Looked):
            return Slot(SlotState.CARD_ERROR, seen.cause.value, READER, self.insertion)
        return Slot(SlotState.READY, "", READER, self.insertion, seen.tries_left, seen.public_key)

    def prove(
        self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
    ) -> Proof:
        slot, card = self.slot(), self.card
        if card is None or insertion != self.insertion:
            return CardGone()
        if slot.state is not SlotState.READY:
            return CardTrouble(slot.cause)
        asked = protocol.prove(pin, message, slot.public_key, spend_last_try=spend_last_try)
        proof = run(asked, card.answer)
        card.reset()
        return proof


@dataclass
class MemoryGuard:
    guard: Guard = field(default_factory=Guard)

    def load(self) -> Guard:
        return self.guard

    def save(self, guard: Guard) -> bool:
        self.guard = guard
        return True


class FixedHealth:
    """A body of which nothing changes."""

    def health(self) -> Health | None:
        return HEALTH

    def close(self) -> None:
        pass


@dataclass
class ServiceCorner:
    """`T-014` repairs and counts, `T-021` counts too. `waits` while a card is asked to wait."""

    reader: MemoryReader = field(default_factory=MemoryReader)
    guard: MemoryGuard = field(default_factory=MemoryGuard)
    has_cash: bool = False
    two_person: bool = True
    waits: bool = False
    examined: tuple[DoctorLine, ...] | None = ()
    keys: dict[str, PrivateKey] = field(
        default_factory=lambda: {"T-014": new_key(), "T-021": new_key()}
    )

    def card(self, badge: str = "T-014", **looks: Any) -> VirtualPiv:
        """A card of one of the two; put in with `reader.insert`."""
        return VirtualPiv(self.keys[badge], **looks)

    def stranger(self) -> VirtualPiv:
        return VirtualPiv(new_key())

    def join(
        self,
        desk: Desk,
        flow: Flow,
        ports: Ports,
        presenters: dict[Screen, Presenter[Any]],
        touched: Callable[[], None],
    ) -> None:
        """Stand in a kiosk that starts."""
        self.login = TechnicianLogin(
            reader=self.reader,
            ledger=ports.ledger,
            allow_list=lambda _: self._trusted(),
            guard_store=self.guard,
            now=desk.clock.now,
            today=lambda: date(2026, 1, 20),
            new_challenge=lambda: bytes(32),
            node_code=desk.settings.node_code,
        )
        work = TechnicianDesk(self.login, ports.ledger, self._plant(ports), desk.clock.now)
        presenters[Screen.TECNICO] = TecnicoPresenter(desk, self.login, work)
        self._keeper = DoorKeeper(flow, self.reader.slot, self.login, self._note, touched)

    def tick(self) -> None:
        """What the login's thread and the screen's clock do."""
        self.login.step()
        self._keeper.tick()

    def _note(self, waits: bool) -> None:
        self.waits = waits

    def _trusted(self) -> TechnicianList:
        first, last = date(2026, 1, 1), date(2026, 3, 31)
        people = tuple(
            Technician(badge, public_der(key), frozenset(Role), first, last)
            for badge, key in self.keys.items()
        )
        return TechnicianList("30039", 1, first, last, people)

    def _plant(self, ports: Ports) -> TechnicianPlant:
        held = {"card": self.reader.status}
        if ports.terminal is not None:
            held = {"terminal": ports.terminal.status, **held}
        if ports.printer is not None:
            held = {"printer": ports.printer.status, **held}
        box = None
        if self.has_cash:
            held["cash"] = lambda: DeviceStatus(DeviceState.ATTENTION, "stacker_full")
            box = CashBoxDesk(ledger=ports.ledger, new_id=ports.new_id, two_person=self.two_person)
        return TechnicianPlant(
            link=ports.link.report,
            content_date=ports.catalogue.content_date,
            held=held,
            health=FixedHealth,
            printer=ports.printer,
            strip=lambda: Paper(PaperKind.FICHA, "", (Text("PRUEBA DE IMPRESORA"),)),
            box=box,
            two_person=self.two_person,
            has_hopper=self.has_cash,
            examination=self._examination,
        )

    def _examination(self) -> DoctorNote | None:
        if self.examined is None:
            return None
        return DoctorNote(boot="", boot_ms=0, state="", lines=self.examined)
