"""What each trouble of each device is called: to a citizen, to a technician, and aloud.

The citizen's sentence says what cannot be done and what to do instead; the technician's says what to
do with the hands; speech has no signs that a voice would stumble over. A cause without a row here is
an error of the program: a test asks for every cause of every device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from municipio.device_words_card import CARD_WORDS
from municipio.device_words_cash import CASH_WORDS
from municipio.device_words_input import INPUT_WORDS
from municipio.device_words_node import NODE_WORDS
from municipio.device_words_terminal import TERMINAL_WORDS


@dataclass(frozen=True, slots=True)
class DeviceWords:
    """Three msgids of the catalogue `municipio`."""

    citizen: str
    technician: str
    speech: str


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked
"""Marks a sentence for the catalogues; it is translated where it is shown."""

DEVICE_WORDS: dict[tuple[str, str], DeviceWords] = {
    ("printer", "no_answer"): DeviceWords(
        N_("La impresora no contesta. Puede seguir sin papel: anote su folio."),
        N_("no contesta: revise el cable, la corriente y el puerto"),
        N_("La impresora no contesta. Puede seguir sin papel. Anote su folio."),
    ),
    ("printer", "offline"): DeviceWords(
        N_("La impresora está en pausa. Puede seguir sin papel: anote su folio."),
        N_("fuera de línea: oprima su botón o apáguela y enciéndala"),
        N_("La impresora está en pausa. Puede seguir sin papel. Anote su folio."),
    ),
    ("printer", "cover_open"): DeviceWords(
        N_("La tapa de la impresora está abierta. Avise al personal."),
        N_("la tapa está abierta: ciérrela hasta que truene"),
        N_("La tapa de la impresora está abierta. Avise al personal."),
    ),
    ("printer", "paper_end"): DeviceWords(
        N_("La impresora no tiene papel. Puede seguir sin papel: anote su folio."),
        N_("no hay papel: ponga un rollo nuevo, la cara brillante hacia la cabeza"),
        N_("La impresora no tiene papel. Puede seguir sin papel. Anote su folio."),
    ),
    ("printer", "paper_near_end"): DeviceWords(
        N_("La impresora funciona. Le queda poco papel."),
        N_("lista, queda poco papel: cambie el rollo en esta visita"),
        N_("La impresora funciona. Le queda poco papel."),
    ),
    ("printer", "cutter"): DeviceWords(
        N_("La impresora se atoró. Puede seguir sin papel: anote su folio."),
        N_("la cuchilla se atoró: apague, retire el papel atorado y encienda"),
        N_("La impresora se atoró. Puede seguir sin papel. Anote su folio."),
    ),
    ("printer", "auto_recoverable"): DeviceWords(
        N_("La impresora descansa un momento. Espere, por favor."),
        N_("la cabeza está caliente; seguirá sola"),
        N_("La impresora descansa un momento. Espere, por favor."),
    ),
    ("printer", "unrecoverable"): DeviceWords(
        N_("La impresora está descompuesta. Puede seguir sin papel: anote su folio."),
        N_("falla de la impresora: apáguela y enciéndala; si sigue, cámbiela"),
        N_("La impresora está descompuesta. Puede seguir sin papel. Anote su folio."),
    ),
    ("printer", "host_blocked"): DeviceWords(
        N_("La impresora no recibe datos. Puede seguir sin papel: anote su folio."),
        N_("no recibe datos: apáguela y enciéndala; si sigue, cambie el cable"),
        N_("La impresora no recibe datos. Puede seguir sin papel. Anote su folio."),
    ),
    **{key: DeviceWords(*row) for key, row in NODE_WORDS.items()},
    **{key: DeviceWords(*row) for key, row in TERMINAL_WORDS.items()},
    **{key: DeviceWords(*row) for key, row in INPUT_WORDS.items()},
    **{key: DeviceWords(*row) for key, row in CARD_WORDS.items()},
    **{key: DeviceWords(*row) for key, row in CASH_WORDS.items()},
}


WITHOUT_A_SCREEN: dict[tuple[str, str], str] = {
    ("filter", "list_unreadable"): N_(
        "la lista del filtro no se puede leer: traiga la nueva con plaza sync pull"
    ),
}
"""Parts of a node that no citizen stands before: for technicians alone."""


def technician_words(device: str, cause: str) -> str:
    """The technician's sentence; for no cause, that all is well; for an unknown one, the cause."""
    if not cause:
        return "funciona"
    words = DEVICE_WORDS.get((device, cause))
    return words.technician if words is not None else WITHOUT_A_SCREEN.get((device, cause), cause)
