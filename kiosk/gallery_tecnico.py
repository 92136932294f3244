"""The technician's place, state by state (all demostración)."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.simulated_technician import EXAMINED, PIN, ServiceCorner
from municipio.clock import TimeQuality
from municipio.devices import DeviceState
from municipio.technicians import FREE_TRIES, IDLE_MS, Guard
from municipio.usecases.ports import LinkState
from sync.doctor_note import DoctorLine

Play = Callable[[SimulatedKiosk], None]


def _equip(kiosk: SimulatedKiosk, *, cash: bool = False) -> ServiceCorner:
    corner = kiosk.world.service = ServiceCorner(has_cash=cash)
    kiosk.restart()
    return corner


def _put_in(kiosk: SimulatedKiosk, corner: ServiceCorner, badge: str = "T-014") -> None:
    corner.reader.insert(corner.card(badge))
    kiosk.wait(1, step=0.25)


def _typed(kiosk: SimulatedKiosk, pin: str) -> None:
    kiosk.type(pin, "tecnico.key")
    kiosk.tap("tecnico.enter")


def _inside(
    kiosk: SimulatedKiosk, *, cash: bool = False, examined: tuple[DoctorLine, ...] = ()
) -> ServiceCorner:
    corner = _equip(kiosk, cash=cash)
    corner.examined = examined
    _put_in(kiosk, corner)
    _typed(kiosk, PIN)
    kiosk.wait(2, step=0.25)
    return corner


def _pin(kiosk: SimulatedKiosk) -> None:
    _put_in(kiosk, _equip(kiosk))
    kiosk.type(PIN[:4], "tecnico.key")


def _wrong_pin(kiosk: SimulatedKiosk) -> None:
    _put_in(kiosk, _equip(kiosk))
    _typed(kiosk, "999999")
    kiosk.tick()


def _checking(kiosk: SimulatedKiosk) -> None:
    _put_in(kiosk, _equip(kiosk))
    _typed(kiosk, PIN)


def _last_try(kiosk: SimulatedKiosk) -> None:
    corner = _equip(kiosk)
    corner.reader.insert(corner.card(tries_left=1))
    kiosk.tick()


def _wait(kiosk: SimulatedKiosk) -> None:
    corner = _equip(kiosk)
    at = kiosk.world.clock.now()
    corner.guard.guard = Guard(FREE_TRIES + 1, at.boot, at.boot_ms)
    kiosk.restart()
    _put_in(kiosk, corner)


def _stranger(kiosk: SimulatedKiosk) -> None:
    corner = _equip(kiosk)
    corner.reader.insert(corner.stranger())
    kiosk.tick()


def _page(kiosk: SimulatedKiosk) -> None:
    _inside(kiosk)


def _troubles(kiosk: SimulatedKiosk) -> None:
    world = kiosk.world
    world.printer.state, world.printer.cause = DeviceState.ATTENTION, "paper_end"
    world.terminal.silent = True
    world.link.state, world.link.waiting = LinkState.OFFLINE, 38
    world.clock.quality = TimeQuality.FLOOR
    _inside(kiosk, cash=True, examined=EXAMINED)
    kiosk.tap("tecnico.paper")
    world.clock.boot_ms += IDLE_MS - 30_000
    kiosk.tick(1)


def _cash(kiosk: SimulatedKiosk) -> None:
    _inside(kiosk, cash=True)


def _counting(kiosk: SimulatedKiosk) -> None:
    _cash(kiosk)
    kiosk.tap("tecnico.cut")
    kiosk.type("125050", "tecnico.key")


def _hopper(kiosk: SimulatedKiosk) -> None:
    _counting(kiosk)
    kiosk.tap("tecnico.enter")
    kiosk.type("120", "tecnico.key")


def _review(kiosk: SimulatedKiosk) -> None:
    _hopper(kiosk)
    kiosk.tap("tecnico.enter")


def _fill(kiosk: SimulatedKiosk) -> None:
    _cash(kiosk)
    kiosk.tap("tecnico.fill")
    kiosk.type("200", "tecnico.key")


def _first_signed(kiosk: SimulatedKiosk) -> None:
    _review(kiosk)
    kiosk.tap("tecnico.sign")


def _second_person(kiosk: SimulatedKiosk) -> None:
    _first_signed(kiosk)
    corner = kiosk.world.service
    assert corner is not None, "the first person stood in a corner"
    language = kiosk.words.code
    corner.reader.remove()
    kiosk.tick()
    kiosk.words.switch(language)
    _put_in(kiosk, corner, "T-021")
    _typed(kiosk, PIN)
    kiosk.wait(2, step=0.25)


def _ended(kiosk: SimulatedKiosk) -> None:
    _inside(kiosk)
    kiosk.world.clock.boot_ms += IDLE_MS
    kiosk.tick()


PLAYS: tuple[tuple[str, Play], ...] = (
    ("tecnico-pin", _pin),
    ("tecnico-pin-mal", _wrong_pin),
    ("tecnico-comprobando", _checking),
    ("tecnico-ultimo-intento", _last_try),
    ("tecnico-espera", _wait),
    ("tecnico-otra-tarjeta", _stranger),
    ("tecnico", _page),
    ("tecnico-problemas", _troubles),
    ("tecnico-efectivo", _cash),
    ("tecnico-corte-contar", _counting),
    ("tecnico-corte-tolva", _hopper),
    ("tecnico-corte-revisar", _review),
    ("tecnico-tolva", _fill),
    ("tecnico-corte-primera-firma", _first_signed),
    ("tecnico-corte-segunda-firma", _second_person),
    ("tecnico-sesion-terminada", _ended),
)
