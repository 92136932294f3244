"""Builds the place where a node is put up, and says whether it comes up at this start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from kiosk.flow import Screen
from kiosk.presenters.base import Desk, Presenter
from kiosk.presenters.puesta import PuestaPresenter
from kiosk.presenters.registry import Ports
from kiosk.usecases.installation import CodeDoor, InstallationDesk
from kiosk.usecases.technician_desk import TechnicianDesk, TechnicianPlant
from municipio.acceptance import AcceptanceStep, Gettext, Sight, Snapshot
from municipio.devices import DeviceStatus
from municipio.papers.acceptance import hoja_de_aceptacion
from municipio.receipts import Paper
from municipio.site_file.state import SiteStanding
from sync.acceptance import SightBook
from sync.datadir import DataDir
from sync.site_code import SiteCode
from sync.site_state import read_boots, read_site_state

if TYPE_CHECKING:
    from hardware.health.driver import NodeHealth

MOST_STARTS = 20
"""A node that was put up and never wholly accepted must not show its list to citizens for ever."""


@dataclass(frozen=True, slots=True)
class NodeSights:
    """The node's own notes, as `InstallationDesk` asks for them."""

    book: SightBook
    ports: Ports

    def note(self, sight: Sight) -> None:
        self.book.note(sight)

    def snapshot(self) -> Snapshot:
        has_printer = self.ports.printer is not None
        return self.book.snapshot(self.ports.link.report(), has_printer=has_printer)


def comes_up(data: DataDir, ports: Ports) -> bool:
    """Was this node made by a site file, and has nobody accepted it yet?"""
    state = read_site_state(data)
    if state is None:
        return False
    seen = NodeSights(SightBook(data), ports).snapshot()
    is_new = Sight.ACCEPTED not in seen.sights and read_boots(data).starts <= MOST_STARTS
    return is_new or state.standing is SiteStanding.KEPT


def stand(
    data: DataDir,
    desk: Desk,
    ports: Ports,
    held: Mapping[str, Callable[[], DeviceStatus]],
    presenters: dict[Screen, Presenter[Any]],
) -> bool:
    """Put the checklist among the presenters; True where it comes up by itself at this start."""
    presenters[Screen.PUESTA] = build_installation(data, desk, ports, held)
    return comes_up(data, ports)


def build_installation(
    data: DataDir, desk: Desk, ports: Ports, held: Mapping[str, Callable[[], DeviceStatus]]
) -> PuestaPresenter:
    door = CodeDoor(desk.clock.now)
    plant = TechnicianPlant(
        link=ports.link.report,
        content_date=ports.catalogue.content_date,
        held=held,
        health=lambda: _health(data, desk),
        printer=ports.printer,
        strip=lambda: _strip(desk),
    )
    work = InstallationDesk(
        door,
        TechnicianDesk(door, ports.ledger, plant, desk.clock.now),
        SiteCode(data),
        NodeSights(SightBook(data), ports),
        partial(_faults, data),
        partial(_sheet, desk),
        ports.printer,
    )
    return PuestaPresenter(desk, work)


def _faults(data: DataDir) -> tuple[str, ...]:
    state = read_site_state(data)
    return () if state is None else state.faults


def _sheet(desk: Desk, steps: tuple[AcceptanceStep, ...], _: Gettext) -> Paper:
    now = desk.clock.now()
    at = now.time if now.is_trusted else None
    return hoja_de_aceptacion(
        desk.settings, _, steps=steps, printed_at=at, version=_version(),
        language=desk.words.code,
    )  # fmt: skip


def _version() -> str:
    try:
        return version("plaza")
    except PackageNotFoundError:
        return "0"


def _health(data: DataDir, desk: Desk) -> NodeHealth:
    from hardware.health.driver import build_health

    return build_health(desk.settings, data.path)


def _strip(desk: Desk) -> Paper:
    from hardware.printer.profiles import PROFILES
    from hardware.printer.strip import technician_strip

    return technician_strip(PROFILES[desk.settings.text("printer.profile")])
