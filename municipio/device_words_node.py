"""What each trouble of the energy and of the node's own body is called; rows of `device_words`.

The citizen hears only what changes for them. What a technician alone can act on is told to the citizen
as one plain sentence: that the kiosk is being looked after, or that it may go off.
"""

from __future__ import annotations

from collections.abc import Callable


def _marked(message: str) -> str:
    return message


N_: Callable[[str], str] = _marked

_MAY_STOP = N_("El kiosco tiene poca energía y puede apagarse. Termine pronto, por favor.")
_ENERGY_UNSURE = N_("El kiosco ahorra energía mientras se revisa. Puede seguir.")
_LOOKED_AFTER = N_("El kiosco necesita servicio. Puede seguir. Si algo falla, avise al personal.")
_SLOW = N_("El kiosco responde más despacio de lo normal. Puede seguir.")
_NOT_KEPT = N_("El kiosco no puede guardar datos nuevos con seguridad. Acuda a la ventanilla.")
_NO_DATE = N_("El kiosco no está seguro de la fecha. Puede consultar. Los montos pueden variar.")


def _row(citizen: str, technician: str) -> tuple[str, str, str]:
    """Citizen, technician, speech: these citizen sentences are plain enough to be spoken."""
    return citizen, technician, citizen


NODE_WORDS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("power", "no_answer"): _row(
        _ENERGY_UNSURE,
        N_("el controlador solar no contesta: revise su cable de datos y el puerto"),
    ),
    ("power", "garbled"): _row(
        _ENERGY_UNSURE,
        N_("llegan datos que no se entienden: revise power.kind, el cable y la tierra"),
    ),
    ("power", "wrong_model"): _row(
        _ENERGY_UNSURE,
        N_("contesta un equipo que no es el controlador esperado: revise power.kind"),
    ),
    ("power", "battery_low"): _row(
        _MAY_STOP,
        N_("batería baja: revise sombra y polvo en el panel, y el consumo"),
    ),
    ("power", "load_off"): _row(
        _MAY_STOP,
        N_("el controlador cortó la salida de carga: espere sol o cargue la batería"),
    ),
    ("power", "battery_failing"): _row(
        _MAY_STOP,
        N_("la batería se desploma con poca carga: mida cada una y cámbiela"),
    ),
    ("power", "battery_overvoltage"): _row(
        _LOOKED_AFTER,
        N_("voltaje de batería demasiado alto: desconecte el panel y revise el ajuste"),
    ),
    ("power", "battery_temperature"): _row(
        _LOOKED_AFTER,
        N_("la batería está demasiado caliente o fría: revise la ventilación y el sensor"),
    ),
    ("power", "panel_fault"): _row(
        _LOOKED_AFTER,
        N_("falla del lado del panel: revise corto, polaridad y voltaje en vacío"),
    ),
    ("power", "load_short"): _row(
        _LOOKED_AFTER,
        N_("corto o exceso en la salida de carga: desconecte el consumo y mida"),
    ),
    ("power", "controller_hot"): _row(
        _LOOKED_AFTER,
        N_("el controlador está demasiado caliente: dele sombra y aire"),
    ),
    ("power", "controller_fault"): _row(
        _LOOKED_AFTER,
        N_("falla del controlador: anote su código, desconecte panel y batería, y reinícielo"),
    ),
    ("health", "not_readable"): _row(
        _LOOKED_AFTER,
        N_("un sensor de la tarjeta no contesta: reinicie; si sigue, revise el sistema"),
    ),
    ("health", "undervoltage"): _row(
        _MAY_STOP,
        N_("bajo voltaje ahora: cambie la fuente o el cable de alimentación"),
    ),
    ("health", "undervoltage_seen"): _row(
        _LOOKED_AFTER,
        N_("hubo bajo voltaje desde el arranque: revise la fuente y su cable"),
    ),
    ("health", "hot"): _row(
        _SLOW, N_("el procesador está caliente: limpie el filtro y revise el ventilador")
    ),
    ("health", "too_hot"): _row(
        _SLOW, N_("el procesador está demasiado caliente: apague, ventile y dé sombra al gabinete")
    ),
    ("health", "throttled"): _row(
        _SLOW, N_("el procesador baja su velocidad para enfriarse: revise la ventilación")
    ),
    ("health", "storage_errors"): _row(
        _LOOKED_AFTER,
        N_("la memoria registró errores: exporte los datos y cambie la tarjeta hoy"),
    ),
    ("health", "storage_wearing"): _row(
        _LOOKED_AFTER, N_("la memoria está por agotarse: programe su cambio este mes")
    ),
    ("health", "storage_worn"): _row(
        _LOOKED_AFTER, N_("la memoria agotó su vida: cámbiela en esta visita")
    ),
    ("health", "storage_slow"): _row(
        _SLOW, N_("la memoria tarda en guardar: cámbiela por una de clase A2 industrial")
    ),
    ("health", "storage_stuck"): _row(
        _NOT_KEPT, N_("la memoria no termina de guardar: cámbiela; no apague de golpe")
    ),
    ("health", "storage_failed"): _row(
        _NOT_KEPT, N_("lo escrito no se pudo leer igual: cambie la memoria ahora")
    ),
    ("health", "space_low"): _row(
        _LOOKED_AFTER, N_("queda poco espacio: revise que el nodo llegue a la ciudad")
    ),
    ("health", "space_full"): _row(
        _NOT_KEPT, N_("no queda espacio: envíe lo pendiente y revise los registros")
    ),
    ("health", "inodes_low"): _row(
        _LOOKED_AFTER, N_("quedan pocos archivos posibles: borre archivos sueltos de los datos")
    ),
    ("health", "clock_untrusted"): _row(
        _NO_DATE, N_("la hora no es segura: conecte la red o cambie la pila del reloj")
    ),
    ("health", "software_renderer"): _row(
        _SLOW, N_("la pantalla se dibuja sin acelerador: revise el controlador de video")
    ),
    ("health", "memory_low"): _row(
        _SLOW, N_("queda poca memoria: reinicie; si vuelve, anote la hora y reporte")
    ),
    ("health", "load_high"): _row(
        _SLOW, N_("el procesador está saturado: revise qué programa lo ocupa")
    ),
}
