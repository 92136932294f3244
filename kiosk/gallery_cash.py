"""Paying in cash, state by state, as a person comes there (all demostración)."""

from __future__ import annotations

from collections.abc import Callable

from hardware.cash.sim_bus import SimBus
from kiosk.flow import Screen
from kiosk.presenters.views import CashPhase
from kiosk.simulated_cash import plug_cash
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk

Play = Callable[[SimulatedKiosk], None]
Go = Callable[[SimulatedKiosk, SimBus], None]


def _at_debt(go: Go = lambda _kiosk, _bus: None, **rules: object) -> Play:
    def play(kiosk: SimulatedKiosk) -> None:
        bus = plug_cash(kiosk, **rules)  # type: ignore[arg-type]  # settings by their own names
        kiosk.tap("home.predial")
        kiosk.type(CLAVE, "predial.key")
        kiosk.tap("predial.continue")
        if kiosk.screen is Screen.PREDIAL_BENEFICIO:
            kiosk.tap("beneficio.no")
        go(kiosk, bus)

    return play


def _confirming(go: Go = lambda _kiosk, _bus: None, **rules: object) -> Play:
    def play(kiosk: SimulatedKiosk, bus: SimBus) -> None:
        kiosk.tap("pay.cash")
        go(kiosk, bus)

    return _at_debt(play, **rules)


def _inserting(go: Go = lambda _kiosk, _bus: None, **rules: object) -> Play:
    def play(kiosk: SimulatedKiosk, bus: SimBus) -> None:
        kiosk.tap("cash.start")
        kiosk.wait(3, step=0.25)
        go(kiosk, bus)

    return _confirming(play, **rules)


def insert(kiosk: SimulatedKiosk, bus: SimBus, *pieces: int) -> None:
    """Coins and notes, one after another, each until it is inside or back."""
    assert kiosk.world.cash is not None, "there is a bus to put money into"
    for centavos in pieces:
        unit = bus.coins if centavos < 2000 else bus.notes
        unit.insert(centavos, kiosk.world.cash.now)
        kiosk.wait(4, step=0.25)


def _until(kiosk: SimulatedKiosk, phase: CashPhase) -> None:
    for _ in range(200):
        if kiosk.screen is not Screen.PAGO_EFECTIVO or kiosk.view.phase is phase:
            return
        kiosk.tick(0.1)


def _note_under_way(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    assert kiosk.world.cash is not None, "there is a bus to put money into"
    insert(kiosk, bus, 50000)
    bus.notes.insert(50000, kiosk.world.cash.now)
    for _ in range(60):
        kiosk.tick(0.1)
        if any(n.icon == "loader-circle" for n in kiosk.view.notices):
            return


def _note_returned(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    """Two coins and a note of 20 at once: once the coins are counted, the note is too much."""
    assert kiosk.world.cash is not None, "there is a bus to put money into"
    insert(kiosk, bus, *(50000,) * 6)
    for centavos in (1000, 500):
        bus.coins.insert(centavos, kiosk.world.cash.now)
        kiosk.world.cash.run(0.7)
    bus.notes.insert(2000, kiosk.world.cash.now)
    kiosk.world.cash.run(2)
    kiosk.wait(3, step=0.25)


def _hurry(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 50000)
    kiosk.wait(70)


def _change(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, *(50000,) * 6)
    assert kiosk.world.cash is not None, "there is a bus to put money into"
    bus.notes.insert(10000, kiosk.world.cash.now)
    _until(kiosk, CashPhase.CHANGE)


def _change_owed(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    bus.hopper.jams_after = 3
    _change(kiosk, bus)
    kiosk.wait(20)


def _cancelled(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 1000)
    kiosk.tap("cash.cancel")
    kiosk.wait(20)


def _owed(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 50000, 50000)
    kiosk.tap("cash.cancel")
    kiosk.wait(20)


def _claim_printed(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    _change_owed(kiosk, bus)
    kiosk.tap("cash.print")


def _jammed(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 50000)
    bus.notes.jam()
    kiosk.wait(5, step=0.25)


def _silent(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 50000)
    bus.is_silent = True
    kiosk.wait(40)


def _paid(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    _change(kiosk, bus)
    kiosk.wait(20)


def _cut_short(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    insert(kiosk, bus, 50000)
    kiosk.restart()
    kiosk.wait(12, step=0.25)


def _device_silent(kiosk: SimulatedKiosk) -> None:
    plug_cash(kiosk).is_silent = True
    kiosk.wait(8, step=0.25)
    kiosk.tap("home.predial")
    kiosk.type(CLAVE, "predial.key")
    kiosk.tap("predial.continue")
    if kiosk.screen is Screen.PREDIAL_BENEFICIO:
        kiosk.tap("beneficio.no")


def _too_old(kiosk: SimulatedKiosk, bus: SimBus) -> None:
    kiosk.world.cut_network()
    kiosk.world.clock.pass_time(days=5)
    kiosk.tap("pay.cash")


CASH_PLAYS: tuple[tuple[str, Play], ...] = (
    ("efectivo-inicio-interrumpido", _inserting(_cut_short)),
    ("efectivo-adeudo", _at_debt()),
    ("efectivo-adeudo-no-listo", _device_silent),
    ("efectivo-confirmar", _confirming()),
    ("efectivo-confirmar-exacto", _confirming(exact_only=True)),
    ("efectivo-no-se-puede", _at_debt(_too_old)),
    ("efectivo-meter", _inserting()),
    ("efectivo-meter-exacto", _inserting(exact_only=True)),
    ("efectivo-billete-entrando", _inserting(_note_under_way)),
    ("efectivo-billete-devuelto", _inserting(_note_returned, exact_only=True)),
    ("efectivo-atorado", _inserting(_jammed)),
    ("efectivo-falta-tiempo", _inserting(_hurry)),
    ("efectivo-cambio", _inserting(_change)),
    ("efectivo-recibo", _inserting(_paid)),
    ("efectivo-cancelado", _inserting(_cancelled)),
    ("efectivo-debemos", _inserting(_owed)),
    ("efectivo-debemos-cambio", _inserting(_change_owed)),
    ("efectivo-comprobante", _inserting(_claim_printed)),
    ("efectivo-sin-respuesta", _inserting(_silent)),
)
"""Name of the picture and how a fresh kiosk comes there."""
