"""Where the person is and how long nobody has touched: screen names, history, idle and privacy timeouts.

Time is fed in seconds of any monotonic clock through `tick` and `touched`; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Screen(StrEnum):
    HOME = "home"
    TRAMITES = "tramites"
    TRAMITE = "tramite"
    PREDIAL_CLAVE = "predial_clave"
    PREDIAL_BENEFICIO = "predial_beneficio"
    PREDIAL_ADEUDO = "predial_adeudo"
    PAGO_TARJETA = "pago_tarjeta"
    PAGO_EFECTIVO = "pago_efectivo"
    PAGO_RESULTADO = "pago_resultado"
    PASE_DE_CAJA = "pase_de_caja"
    REPORTE = "reporte"
    FOLIO = "folio"
    AYUDA = "ayuda"
    EMERGENCIAS = "emergencias"
    MAS_SERVICIOS = "mas_servicios"
    IMPRIMIENDO = "imprimiendo"
    AVISO = "aviso"
    FUERA_DE_SERVICIO = "fuera_de_servicio"
    TECNICO = "tecnico"
    """Only where the node has a reader for service cards."""
    PUESTA = "puesta"
    """Only on a node that a site file made, until all of it was seen to work."""


PASSING = frozenset(
    {
        Screen.PAGO_TARJETA,
        Screen.PAGO_EFECTIVO,
        Screen.PAGO_RESULTADO,
        Screen.IMPRIMIENDO,
        Screen.AVISO,
        Screen.TECNICO,
        Screen.PUESTA,
    }
)
"""Screens that `back` never returns to: what they did cannot be done again by going back."""

HANDS_FULL_S = 600.0
"""How long the checklist waits for a technician who has the box open and no hand for the screen."""

UNASKED_S: Mapping[Screen, float] = {Screen.PUESTA: HANDS_FULL_S, Screen.TECNICO: 0.0}
"""Screens that ask nobody whether they are there, and give way after so long at least."""


@dataclass(frozen=True, slots=True)
class Place:
    """One screen with what it was opened with."""

    screen: Screen
    params: Mapping[str, object] = field(default_factory=dict)


class IdlePhase(StrEnum):
    ACTIVE = "active"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Idle:
    """`seconds_left` until the wipe, 0 while active."""

    phase: IdlePhase = IdlePhase.ACTIVE
    seconds_left: int = 0


HOME = Place(Screen.HOME)


class Flow:
    """A Navigator with a clock: `on_place` when the place changes, `on_wipe` when a person's traces must go.

    `on_idle` tells every change of the warning, a second at a time.
    """

    def __init__(self, *, idle_warning_s: float, idle_wipe_s: float) -> None:
        self._warning_s = idle_warning_s
        self._wipe_s = idle_wipe_s
        self._history: list[Place] = []
        self._place = HOME
        self._touched_s: float | None = None
        self._dirty = False
        self.idle = Idle()
        self.on_place: Callable[[Place], None] = lambda _: None
        self.on_idle: Callable[[Idle], None] = lambda _: None
        self.on_wipe: Callable[[], None] = lambda: None

    @property
    def place(self) -> Place:
        return self._place

    def go(self, screen: Screen, **params: object) -> None:
        """Open a screen; the one left is where `back` returns to, unless it is only passed through."""
        if self._place.screen not in PASSING:
            self._history.append(self._place)
        self._dirty = True
        self._move(Place(screen, params))

    def back(self) -> None:
        self._move(self._history.pop() if self._history else HOME)

    def home(self) -> None:
        """The first screen; whoever was here may still be here, so nothing is wiped yet."""
        self._history.clear()
        self._move(HOME)

    def end_session(self) -> None:
        """Forget the person now: they said that they are done."""
        self._wipe()

    def touched(self, now_s: float) -> None:
        """A finger or a key: the person is there. It also answers the warning."""
        self._touched_s = now_s
        self._dirty = True
        self._set_idle(Idle())

    def tick(self, now_s: float, *, busy: bool = False) -> None:
        """Look at the clock. With `busy` (a card is being charged, a paper printed) no time passes."""
        if busy or self._touched_s is None or not self._dirty:
            self._touched_s = now_s
            self._set_idle(Idle())
            return
        quiet = now_s - self._touched_s
        asked_s, wiped_s = self._limits()
        if quiet < asked_s:
            self._set_idle(Idle())
        elif quiet < wiped_s:
            left = wiped_s - quiet
            self._set_idle(Idle(IdlePhase.WARNING, max(1, int(left + 0.999))))
        else:
            self._wipe()

    def _limits(self) -> tuple[float, float]:
        """After how many quiet seconds the person is asked, and forgotten."""
        wiped_s = self._warning_s + self._wipe_s
        if self._place.screen in UNASKED_S:
            wiped_s = max(wiped_s, UNASKED_S[self._place.screen])
            return wiped_s, wiped_s
        return self._warning_s, wiped_s

    def _wipe(self) -> None:
        self._dirty = False
        self._history.clear()
        self._set_idle(Idle())
        self.on_wipe()
        self._move(HOME)

    def _move(self, place: Place) -> None:
        self._place = place
        self.on_place(place)

    def _set_idle(self, idle: Idle) -> None:
        if idle != self.idle:
            self.idle = idle
            self.on_idle(idle)
