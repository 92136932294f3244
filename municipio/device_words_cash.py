"""What each trouble of the cash bus is called; rows of `device_words`."""

from __future__ import annotations

from collections.abc import Callable


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked

_NO_COINS = N_("El kiosco no recibe monedas ahora. Puede pagar con billetes o con tarjeta.")
_NO_NOTES = N_("El kiosco no recibe billetes ahora. Puede pagar con monedas o con tarjeta.")
_NO_CHANGE = N_("El kiosco no da cambio ahora. Pague con el importe exacto.")
_NO_CASH = N_("El kiosco no recibe efectivo ahora. Puede pagar con tarjeta o llevarse un pase.")

CASH_WORDS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("cash", cause): (citizen, technician, citizen)
    for cause, (citizen, technician) in {
        "no_answer": (
            _NO_CASH,
            N_("el bus de efectivo no contesta: revise corriente, cable, puerto y direcciones"),
        ),
        "coin_jam": (
            _NO_COINS,
            N_("moneda atorada: abra el monedero, retírela y ciérrelo"),
        ),
        "coin_fault": (
            _NO_COINS,
            N_("falla del monedero: apáguelo y enciéndalo; si sigue, cámbielo"),
        ),
        "coin_fraud": (
            _NO_COINS,
            N_("moneda con hilo o que regresa: revise la entrada; vuelve solo en medio minuto"),
        ),
        "note_jam": (
            _NO_NOTES,
            N_("billete atorado: abra el validador, retírelo y anote el folio del acta"),
        ),
        "note_fault": (
            _NO_NOTES,
            N_("falla del validador: apáguelo y enciéndalo; si sigue, cámbielo"),
        ),
        "note_fraud": (
            _NO_NOTES,
            N_("billete con hilo o jalado: revise la entrada; vuelve solo en medio minuto"),
        ),
        "stacker_full": (_NO_NOTES, N_("el apilador está lleno: haga el corte de caja")),
        "stacker_removed": (_NO_NOTES, N_("falta el apilador: colóquelo hasta que truene")),
        "hopper_empty": (_NO_CHANGE, N_("la tolva no tiene monedas: llénela y registre cuántas")),
        "hopper_jam": (_NO_CHANGE, N_("la tolva se atoró: apáguela, saque la moneda y enciéndala")),
    }.items()
}
