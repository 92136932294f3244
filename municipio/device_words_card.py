"""What each trouble of the technician's card reader is called; rows of `device_words`.

A citizen never needs this reader: to them the kiosk works.
"""

from __future__ import annotations

from collections.abc import Callable


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked

_WORKS = N_("El kiosco funciona. El lector de la tarjeta de servicio no está listo.")

CARD_WORDS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("card", cause): (_WORKS, technician, _WORKS)
    for cause, technician in {
        "no_service": N_(
            "el servicio pcscd no corre: espere un momento; si sigue, reinicie el nodo"
        ),
        "no_answer": N_("el lector o la tarjeta no contesta: saque la tarjeta y métala otra vez"),
        "no_reader": N_("no hay lector: revise su cable USB"),
        "taken": N_("otro programa usa la tarjeta: ciérrelo"),
        "mute": N_("la tarjeta no enciende: voltéela o limpie el chip"),
        "not_piv": N_("no es una tarjeta de servicio: meta la suya"),
        "no_key": N_("la tarjeta no tiene llave en la ranura 9A: pida que se la preparen"),
        "garbled": N_("la tarjeta contesta mal: límpiela y métala otra vez"),
        "blocked": N_("el NIP está bloqueado: la ciudad debe desbloquear la tarjeta"),
    }.items()
}
