"""What each trouble of the card terminal is called; rows of `device_words`."""

from __future__ import annotations

from collections.abc import Callable


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked

_NO_CARD = N_("Por ahora no se puede pagar con tarjeta aquí. Puede imprimir su pase de caja.")
_BUSY = N_("La terminal de tarjetas está ocupada. Espere un momento, por favor.")


def _row(citizen: str, technician: str) -> tuple[str, str, str]:
    """Citizen, technician, speech: these citizen sentences are plain enough to be spoken."""
    return citizen, technician, citizen


TERMINAL_WORDS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("terminal", cause): _row(*row)
    for cause, row in {
        "no_answer": (
            _NO_CARD,
            N_("no contesta: revise el cable o la red, la corriente y el puerto o la dirección"),
        ),
        "offline": (_NO_CARD, N_("no llega a su banco: revise su señal o su red")),
        "busy": (_BUSY, N_("ocupada con un cobro: espere a que termine o cancélelo en ella")),
        "standalone": (
            _NO_CARD,
            N_("está en modo autónomo: póngala en modo PDV desde la cuenta y reiníciela"),
        ),
        "not_listed": (
            _NO_CARD,
            N_("la cuenta no tiene esa terminal: revise terminal.point_id y de quién es el equipo"),
        ),
        "token_missing": (
            _NO_CARD,
            N_("falta la credencial o no se puede leer: revise terminal.token_file"),
        ),
        "token_exposed": (
            _NO_CARD,
            N_("otros pueden leer la credencial: cámbiela en la cuenta y ponga permisos 0600"),
        ),
        "token_refused": (
            _NO_CARD,
            N_("el servicio no acepta la credencial: genere otra en la cuenta"),
        ),
        "bad_settings": (
            _NO_CARD,
            N_("ajustes que no sirven: revise terminal.api_url, point_id y expires_s"),
        ),
        "orders_damaged": (
            _NO_CARD,
            N_("no se puede usar el archivo de cobros pedidos: no lo borre y avise a la ciudad"),
        ),
    }.items()
}
