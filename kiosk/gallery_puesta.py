"""Putting a kiosk up, state by state (all demostración)."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.flow import Screen
from kiosk.simulated_installation import CODE, InstallationCorner
from kiosk.simulated_kiosk import SimulatedKiosk
from municipio.acceptance import Sight, Snapshot

Play = Callable[[SimulatedKiosk], None]
FAULTS = (
    "Línea 6: la clave «nunber» no existe en [site]. ¿Quiso decir «number» de [site]?",
    'Línea 31: falta «apn» de [uplink] (APN del chip), porque «kind» de [uplink] es "lte". '
    "Se admite: letras, números, puntos y guiones.",
)


def _stand(kiosk: SimulatedKiosk, corner: InstallationCorner) -> InstallationCorner:
    kiosk.world.installing = corner
    kiosk.restart()
    kiosk.flow.go(Screen.FUERA_DE_SERVICIO if corner.is_waiting else Screen.PUESTA)
    kiosk.tick()
    return corner


def _first(kiosk: SimulatedKiosk) -> None:
    _stand(kiosk, InstallationCorner())


def _code(kiosk: SimulatedKiosk) -> None:
    _first(kiosk)
    kiosk.tap("puesta.code")
    kiosk.type(CODE[:5], "puesta.key")


def _wrong_code(kiosk: SimulatedKiosk) -> None:
    _first(kiosk)
    kiosk.tap("puesta.code")
    kiosk.type("00000000", "puesta.key")
    kiosk.tap("puesta.enter")


def _open(kiosk: SimulatedKiosk) -> None:
    seen = Snapshot("good", sights=frozenset(Sight) - {Sight.RECEIPT, Sight.ACCEPTED})
    _stand(kiosk, InstallationCorner(seen))
    kiosk.tap("puesta.code")
    kiosk.type(CODE, "puesta.key")
    kiosk.tap("puesta.enter")
    kiosk.wait(3, step=0.25)
    kiosk.tap("puesta.print")
    kiosk.wait(3, step=0.25)


def _kept(kiosk: SimulatedKiosk) -> None:
    _stand(kiosk, InstallationCorner(Snapshot("kept", sights=frozenset({Sight.CITY})), FAULTS))


def _wrong_file(kiosk: SimulatedKiosk) -> None:
    _stand(kiosk, InstallationCorner(Snapshot("waiting"), FAULTS, is_waiting=True))


PLAYS: tuple[tuple[str, Play], ...] = (
    ("puesta", _first),
    ("puesta-clave", _code),
    ("puesta-clave-mal", _wrong_code),
    ("puesta-abierta", _open),
    ("puesta-archivo-anterior", _kept),
    ("puesta-archivo-malo", _wrong_file),
)
