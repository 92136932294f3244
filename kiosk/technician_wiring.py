"""Builds the technician's place where `card.enabled` is set: reader, login, desk, screen and door."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hardware.registry import REGISTRY
from kiosk.flow import Flow
from kiosk.presenters.base import Desk
from kiosk.presenters.registry import Ports
from kiosk.presenters.tecnico import TecnicoPresenter
from kiosk.technician_door import DoorKeeper
from kiosk.usecases.cash_box import CashBoxDesk
from kiosk.usecases.technician_desk import TechnicianDesk, TechnicianPlant
from kiosk.usecases.technician_login import TechnicianLogin
from municipio.devices import (
    CardGone,
    CardTerminal,
    CashDevice,
    DeviceState,
    DeviceStatus,
    Pin,
    Printer,
    Proof,
    Slot,
    SlotState,
)
from municipio.receipts import Paper
from municipio.settings import Settings
from municipio.technicians import CHALLENGE_BYTES, TechnicianList
from municipio.wire.keys import PublicKey
from municipio.wire.technician_list import ListProblem, ListTrouble
from sync.allow_list import AllowList, GuardFile, guard_file, list_file
from sync.datadir import DataDir
from sync.doctor_note import FILE_NAME as DOCTOR_FILE
from sync.doctor_note import fresh_note

if TYPE_CHECKING:
    from hardware.card.driver import PivReader
    from hardware.health.driver import NodeHealth


AIDS = ("scanner", "keypad", "numpad", "audio", "camera")
Status = Callable[[], DeviceStatus]


@dataclass(frozen=True, slots=True)
class Known:
    """What the kiosk's wiring has at hand. `held` are the statuses of its own devices, by name."""

    data: DataDir
    flow: Flow
    desk: Desk
    ports: Ports
    city_key: PublicKey | None
    held: Mapping[str, Status]
    note: Callable[[bool], None]

    @property
    def settings(self) -> Settings:
        return self.desk.settings


def held_devices(
    settings: Settings, ports: Ports, aid: Callable[[str], DeviceStatus]
) -> dict[str, Status]:
    """The kiosk's own devices that this node has, in the order of the page."""
    own = {"printer": ports.printer, "terminal": ports.terminal, "cash": ports.cash}
    held = {name: partial(_status, device) for name, device in own.items() if device is not None}
    aids = {n: partial(aid, n) for n in AIDS if settings.flag(f"{n}.enabled")}
    return {**held, **aids}


def _status(device: Printer | CardTerminal | CashDevice) -> DeviceStatus:
    """Asked late: to name a device must not open it."""
    return device.status()


class LateReader:
    """The reader's place until it is opened, which is after the first screen is drawn."""

    def __init__(self, build: Callable[[], PivReader]) -> None:
        self._build = build
        self._reader: PivReader | None = None

    def open(self) -> None:
        self._reader = self._build()

    def slot(self) -> Slot:
        reader = self._reader
        return Slot(SlotState.UNKNOWN) if reader is None else reader.slot()

    def status(self) -> DeviceStatus:
        reader = self._reader
        return DeviceStatus(DeviceState.STARTING) if reader is None else reader.status()

    def prove(
        self, insertion: int, pin: Pin, message: bytes, *, spend_last_try: bool = False
    ) -> Proof:
        reader = self._reader
        if reader is None:
            return CardGone()
        return reader.prove(insertion, pin, message, spend_last_try=spend_last_try)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


class ServiceDoor:
    """Everything of a technician's place. `start` once the first screen is up; `close` at the end."""

    def __init__(self, known: Known) -> None:
        name = known.settings.text("card.reader")
        self._reader = reader = LateReader(lambda: _piv_reader(name))
        self._login = _login(known, reader)
        plant, now = _plant(known, reader), known.desk.clock.now
        self._work = TechnicianDesk(self._login, known.ports.ledger, plant, now)
        self.presenter = TecnicoPresenter(known.desk, self._login, self._work)
        self._flow, self._note = known.flow, known.note
        self._keeper: DoorKeeper | None = None

    def start(self) -> None:
        """Open the reader and begin to listen. May block: not on the screen's thread."""
        self._reader.open()
        self._login.start()
        flow, slot = self._flow, self._reader.slot

        def touched() -> None:
            flow.touched(time.monotonic())

        self._keeper = DoorKeeper(flow, slot, self._login, self._note, touched)

    def watch(self) -> None:
        """Several times a second, on the screen's thread."""
        if self._keeper is not None:
            self._keeper.tick()

    def reader_status(self) -> DeviceStatus:
        """The reader with, where nothing is wrong, the state of its slot as the cause."""
        status = self._reader.status()
        return DeviceStatus(status.state, status.cause or self._reader.slot().state.value)

    def close(self) -> None:
        self._login.close()
        self._work.rest()
        self._reader.close()


def _piv_reader(name: str) -> PivReader:
    from hardware.card.driver import PivReader

    return PivReader(name)


def _login(known: Known, reader: LateReader) -> TechnicianLogin:
    zone = ZoneInfo(known.settings.text("city.timezone"))
    clock = known.desk.clock

    def civil_day() -> date | None:
        return clock.now().local_date(zone)

    return TechnicianLogin(
        reader=reader,
        ledger=known.ports.ledger,
        allow_list=_allow_list(known),
        guard_store=GuardFile(guard_file(known.data)),
        now=clock.now,
        today=civil_day,
        new_challenge=lambda: secrets.token_bytes(CHALLENGE_BYTES),
        node_code=known.settings.node_code,
    )


def _allow_list(known: Known) -> Callable[[int], TechnicianList | ListProblem]:
    if known.city_key is None:
        return lambda _: ListProblem(ListTrouble.MISSING, "no city key on this node")
    inegi = known.settings.text("city.inegi")
    return AllowList(list_file(known.data), known.city_key, inegi).read


def _plant(known: Known, reader: LateReader) -> TechnicianPlant:
    settings = known.settings
    held = {**known.held, "card": reader.status}
    entries = [e for e in REGISTRY.values() if e.name not in {*held, "health"}]
    others = {
        e.name: partial(e.build, settings, known.data.path) for e in entries if e.place(settings)
    }
    box = None
    if known.ports.cash is not None:
        two = settings.flag("cash.two_person")
        box = CashBoxDesk(ledger=known.ports.ledger, new_id=known.ports.new_id, two_person=two)
    return TechnicianPlant(
        link=known.ports.link.report,
        content_date=known.ports.catalogue.content_date,
        held=held,
        others=others,
        health=lambda: _health(known),
        printer=known.ports.printer,
        strip=lambda: _strip(settings),
        box=box,
        two_person=settings.flag("cash.two_person"),
        has_hopper=settings.number("cash.hopper_address") != 0,
        hopper_coin_centavos=settings.number("cash.hopper_coin_centavos"),
        examination=lambda: fresh_note(known.data.run / DOCTOR_FILE, known.desk.clock.now()),
    )


def _health(known: Known) -> NodeHealth:
    from hardware.health.driver import build_health

    return build_health(known.settings, known.data.path)


def _strip(settings: Settings) -> Paper:
    from hardware.printer.profiles import PROFILES
    from hardware.printer.strip import technician_strip

    return technician_strip(PROFILES[settings.text("printer.profile")])
