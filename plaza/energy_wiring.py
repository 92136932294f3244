"""The only place where the energy program's real objects are built."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from captive_portal.service_note import service_file
from hardware.power.driver import PowerDriver, build_power
from municipio.energy import Supply, Wake
from municipio.settings import Settings, SettingsError
from plaza.energy_edge import Edge, LinuxEdge
from plaza.energy_files import PROOF_NAME
from plaza.energy_mind import Rules
from plaza.energy_plan import Hours, hours_of
from plaza.energy_program import EnergyProgram, Parts
from plaza.energy_usb import UsbDevices
from plaza.quiet import Busy, busy_with
from sync.datadir import DataDir
from sync.kiosk_pulse import read_pulse
from sync.link import FileLink
from sync.notify import supervisor
from sync.site_state import is_waiting
from sync.wiring import CannotStart, Memory, open_memory


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """`why` is one line for a person."""

    why: str


def run_energy(
    data: DataDir, edge: Edge | None = None, pace: float = 1.0
) -> CannotStart | NothingToDo | None:
    """Run in this process's main thread; None after a clean stop. `edge` None: this machine's own."""
    try:
        idle = nothing_to_do(data)
    except SettingsError as trouble:
        return CannotStart(str(trouble))
    if idle is not None:
        # A notifying unit that ends without a word has failed, and is started again for ever.
        supervisor().ready()
        return idle
    memory = open_memory(data)
    if isinstance(memory, CannotStart):
        return memory
    controller: PowerDriver | None = None
    try:
        settings = memory.settings
        try:
            rules = rules_of(settings)
        except ValueError as trouble:
            return CannotStart(f"energy.radio_hours, energy.kiosk_hours: {trouble}")
        controller = build_power(settings) if has_controller(settings) else None
        program = build_program(memory, controller, edge or edge_of(data, settings), rules, pace)
        _run(program)
    finally:
        if controller is not None:
            controller.close()
        memory.close()
    return None


def nothing_to_do(data: DataDir) -> NothingToDo | None:
    """Of a node on the grid, and of one whose site file is not there yet: it is read at the next start.

    Raises SettingsError.
    """
    if is_waiting(data):
        return NothingToDo("este nodo espera su plaza.toml: todavía no hay batería que cuidar")
    if Supply(data.settings().text("energy.kind")) is Supply.GRID:
        return NothingToDo("energy.kind = grid: nada que cuidar")
    return None


def rules_of(settings: Settings) -> Rules:
    """Raises ValueError for hours that cannot be read."""
    return Rules(
        wake=Wake(settings.text("energy.wake")),
        hours=Hours(
            radio=hours_of(settings.text("energy.radio_hours")),
            kiosk=hours_of(settings.text("energy.kiosk_hours")),
        ),
        battery=settings.text("power.battery"),
    )


def has_controller(settings: Settings) -> bool:
    return settings.text("power.kind") != "none" and bool(settings.text("power.port"))


def edge_of(data: DataDir, settings: Settings, sys: Path = Path("/sys")) -> Edge:
    """This machine's own switches."""
    controller = settings.text("power.port") if has_controller(settings) else ""
    usb = UsbDevices(sys, data.run / "usb-off.json", controller)
    return LinuxEdge(settings.text("energy.usb_ports").split(), sys=sys, usb=usb)


def build_program(
    memory: Memory, controller: PowerDriver | None, edge: Edge, rules: Rules, pace: float = 1.0
) -> EnergyProgram:
    data, settings, ledger = memory.data, memory.settings, memory.ledger

    def busy() -> Busy | None:
        pulse = read_pulse(data.kiosk_file, memory.clock.now())
        return busy_with(ledger.open_payments(), pulse)

    parts = Parts(
        controller=controller,
        edge=edge,
        ledger=ledger,
        link=FileLink(data.link_file, memory.clock, settings.number("sync.heartbeat_s")),
        clock=memory.clock,
        busy=busy,
        zone=ZoneInfo(settings.text("city.timezone")),
        note_file=data.energy_file,
        service_file=service_file(data.run),
        proof_file=data.path / PROOF_NAME,
    )
    return EnergyProgram(parts, rules, pace)


def _run(program: EnergyProgram) -> None:
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s", level=logging.INFO)
    stop, watchdog = threading.Event(), supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watchdog.ready()
    program.run(stop, watchdog.alive)
    watchdog.stopping()
