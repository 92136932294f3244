"""What each trouble of scanner, keypads, sound and camera is called; rows of `device_words`.

None of them is ever the only way: the citizen is told how to go on by hand, by eye or with help.
"""

from __future__ import annotations

from collections.abc import Callable


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked

_TYPE_IT = N_("El lector de códigos no funciona. Escriba su clave o su folio en la pantalla.")
_TOUCH = N_("El teclado táctil no funciona. Use la pantalla o pida ayuda.")
_DIGITS = N_("El teclado de números no funciona. Use los números de la pantalla.")
_NO_VOICE = N_("El kiosco no puede hablar ahora. Lea la pantalla o pida ayuda.")
_AS_LOUD = N_("El volumen no se puede cambiar ahora.")
_NO_PHOTO = N_("La cámara no funciona. Puede seguir sin foto.")

Row = tuple[str, str, str]


def _row(citizen: str, technician: str) -> Row:
    """Citizen, technician, speech: these citizen sentences are plain enough to be spoken."""
    return citizen, technician, citizen


_SCANNER: dict[str, Row] = {
    "no_answer": _row(_TYPE_IT, N_("el lector no contesta: revise su cable USB y scanner.port")),
    "port_busy": _row(_TYPE_IT, N_("otro programa usa el puerto del lector: ciérrelo")),
    "denied": _row(_TYPE_IT, N_("falta permiso para el puerto del lector: grupo dialout")),
    "garbage": _row(
        _TYPE_IT,
        N_("el lector manda datos ilegibles: revise scanner.baud y su modo USB serie (CDC)"),
    ),
    "keyboard_mode": _row(
        _TYPE_IT,
        N_("el lector está en modo teclado y no se abre: páselo a modo USB serie (CDC)"),
    ),
}

_KEYS_TECHNICIAN: dict[str, str] = {
    "no_answer": N_("el teclado no contesta: revise su cable y el puerto en los ajustes"),
    "port_busy": N_("otro programa tiene tomado el teclado: ciérrelo"),
    "denied": N_("falta permiso para el teclado: grupo input"),
    "wrong_device": N_("hay otro aparato en el lugar del teclado y no se escucha: retírelo"),
    "stuck_key": N_("una tecla está atorada: límpiela o cambie el teclado"),
    "noise": N_("llegan demasiadas teclas: un contacto falla; cambie el teclado"),
    "settings": N_("los ajustes del teclado no sirven: revise port, id y keys"),
}

_AUDIO: dict[str, Row] = {
    "no_card": _row(_NO_VOICE, N_("no está la tarjeta de sonido: revise su USB y audio.card")),
    "no_voice": _row(_NO_VOICE, N_("la voz no funciona: instale o repare espeak-ng")),
    "no_player": _row(_NO_VOICE, N_("el sonido no sale: revise aplay (alsa-utils) y la tarjeta")),
    "mixer": _row(_AS_LOUD, N_("el volumen no obedece: revise audio.control y amixer")),
    "jack_unknown": _row(
        _NO_VOICE,
        N_("no se sabe si hay audífonos: revise audio.jack; mientras, el kiosco no habla"),
    ),
    "settings": _row(_NO_VOICE, N_("los ajustes de audio no sirven: revise la sección audio")),
    "no_answer": _row(_NO_VOICE, N_("el programa del audio no responde: reinicie el kiosco")),
}

_CAMERA: dict[str, Row] = {
    "no_camera": _row(_NO_PHOTO, N_("no está la cámara: revise su cable y camera.port")),
    "no_program": _row(_NO_PHOTO, N_("falta el programa de la cámara: revise camera.program")),
    "failed": _row(_NO_PHOTO, N_("la cámara no tomó la foto: revise su cable plano o USB")),
    "no_answer": _row(_NO_PHOTO, N_("la cámara no termina: desconéctela y conéctela")),
    "too_big": _row(_NO_PHOTO, N_("la foto es demasiado grande: baje camera.width y height")),
    "not_a_picture": _row(_NO_PHOTO, N_("la cámara entrega datos que no son foto: cámbiela")),
    "settings": _row(_NO_PHOTO, N_("los ajustes de la cámara no sirven: revise la sección camera")),
}

INPUT_WORDS: dict[tuple[str, str], Row] = {
    **{("scanner", cause): row for cause, row in _SCANNER.items()},
    **{("keypad", cause): _row(_TOUCH, text) for cause, text in _KEYS_TECHNICIAN.items()},
    **{("numpad", cause): _row(_DIGITS, text) for cause, text in _KEYS_TECHNICIAN.items()},
    **{("audio", cause): row for cause, row in _AUDIO.items()},
    **{("camera", cause): row for cause, row in _CAMERA.items()},
}
