"""Spanish words of the staff's pages: how a node stands, since when, what a fact of its own says."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central.fleet import Machine, Part, Standing
from central.indicators_facts import civil
from central.moments_read import moment_with_error
from central.words import moment_in_words
from municipio.device_words import technician_words
from municipio.facts import RECOVERED, FactType

STANDINGS = {
    Standing.QUARANTINED: "en cuarentena",
    Standing.SILENT: "en silencio",
    Standing.TROUBLED: "activo, pide atención",
    Standing.WAITING: "espera su aprobación",
    Standing.NEVER: "aprobado, nunca ha llamado",
    Standing.ACTIVE: "activo",
    Standing.REVOKED: "revocado",
}
DEVICES = {
    "printer": "impresora",
    "cash": "efectivo",
    "terminal": "terminal de tarjeta",
    "card": "lector de tarjetas",
    "scanner": "lector de códigos",
    "keypad": "teclado",
    "camera": "cámara",
    "audio": "voz",
    "power": "controlador solar",
    "health": "salud del nodo",
    "filter": "filtro",
}
STATES = {
    "absent": "no tiene",
    "starting": "arranca",
    "ready": "funciona",
    "busy": "trabaja",
    "attention": "pide atención",
    "fault": "falla",
    "unknown": "no contesta",
}
LEVELS = {
    "full": "llena",
    "save": "ahorra",
    "reserve": "en reserva",
    "guard": "por agotarse",
    "unknown": "no se sabe",
}
CLOCKS = {
    "synced": "exacto, con la red",
    "rtc": "bueno, con su reloj de pila",
    "floor": "dudoso: solo sabe que no es antes de cierta hora",
    "unknown": "sin hora",
    "doubted": "no es creíble: lo que dice no cabe antes de que llegara",
}
SHORT_CLOCKS = {
    "synced": "exacto",
    "rtc": "bueno",
    "floor": "dudoso",
    "unknown": "sin hora",
    "doubted": "no creíble",
}
LANES = {
    "pay": "pagos",
    "rep": "reportes",
    "acc": "conexiones",
    "vit": "aparatos",
}
NO_WORD = "sin dato"
_STARTS = {
    "first": "por primera vez",
    "heads_lost": "con una memoria anterior",
    "facts_damaged": "con hechos dañados",
    "other_future": "con otra historia de su cadena",
    "key_lost": "sin su llave de sellos",
    "salvaged": "con una memoria rescatada",
    "no_ledger": "sin memoria anterior",
}
AUDITED = {
    "folio.viewed": "vio el expediente",
    "facts.viewed": "vio la lista de hechos",
    "rights.exported": "exportó el expediente",
    "rights.erased": "borró los datos personales",
    "rights.refused": "se negó el borrado",
    "retention.applied": "aplicó los plazos de conservación",
    "node.approve": "aprobó el nodo",
    "node.release": "soltó el nodo de la cuarentena",
    "node.revoke": "revocó el nodo",
    "audit.viewed": "vio el registro de accesos",
}


def age_in_words(seconds: int) -> str:
    """`menos de un minuto`, `12 minutos`, `3 horas`, `2 días`: rounded down."""
    for size, one, many in (
        (86400, "día", "días"),
        (3600, "hora", "horas"),
        (60, "minuto", "minutos"),
    ):
        if seconds >= size:
            number = seconds // size
            return f"{number} {one if number == 1 else many}"
    return "menos de un minuto"


def standing_in_words(machine: Machine, zone: ZoneInfo) -> str:
    words = STANDINGS[machine.standing]
    if machine.standing is Standing.SILENT:
        return f"{words} desde el {moment_in_words(machine.contact_at, zone)[:-3]}"
    return words


def trouble_in_words(name: str, part: Part | None) -> str:
    """Why a node is not well, with the technician's sentence where the cause has one."""
    if name == "chain":
        return "una cadena no se puede leer"
    if name == "clock":
        return f"reloj {CLOCKS.get(part.state, part.state) if part else ''}".strip()
    if name == "energy":
        return f"energía {LEVELS.get(part.state, part.state) if part else ''}".strip()
    device = name.removeprefix("device:")
    return f"{DEVICES.get(device, device)}: {part_in_words(part)}"


def part_in_words(part: Part | None) -> str:
    """The state of a device, and the cause when there is one."""
    if part is None:
        return NO_WORD
    state = STATES.get(part.state, part.state)
    if not part.cause:
        return state
    return technician_words(part.name.removeprefix("device:"), part.cause)


def energy_in_words(part: Part | None) -> str:
    if part is None:
        return NO_WORD
    percent = f" ({part.detail} %)" if part.detail else ""
    return LEVELS.get(part.state, part.state) + percent


def delay_in_words(parts: dict[str, Part]) -> str:
    """How old the oldest fact of the last deliveries was when it came."""
    told = [p.detail for name, p in parts.items() if name.startswith("queue:") and p.detail]
    if not told:
        return NO_WORD
    return age_in_words(max(int(seconds) for seconds in told))


def since_in_words(part: Part, zone: ZoneInfo) -> str:
    """Since when a part is so, with how surely that is known."""
    if part.happened is not None:
        return moment_with_error(part.happened, zone)
    return civil(part.since, zone).strftime("%d/%m/%Y %H:%M") if part.since else "sin hora"


def fact_in_words(raw: bytes) -> str:
    """The sentence of a fact that a node told about itself."""
    fact: dict[str, Any] = msgspec.json.decode(raw)
    data = fact.get("data")
    return _sentence(str(fact.get("type")), data if isinstance(data, dict) else {})


def _sentence(type: str, data: dict[str, Any]) -> str:
    def word(name: str) -> str:
        value = data.get(name)
        return value if isinstance(value, str) else ""

    if type == FactType.DEVICE_CHANGED:
        part = Part("device:" + word("device"), word("state"), word("cause"), "", "", "")
        name = DEVICES.get(word("device"), word("device"))
        if word("cause") == "stray_money":
            return f"{name}: entró dinero que nadie pagaba"
        return f"{name}: {part_in_words(part)}"
    if type == FactType.ENERGY_CHANGED:
        soc = data.get("soc_percent")
        part = Part("energy", word("level"), "", str(soc) if type_is_int(soc) else "", "", "")
        return f"energía {energy_in_words(part)}"
    if type == FactType.NODE_STARTED:
        why = _STARTS.get(word("reason"), word("reason"))
        return f"arrancó con la versión {word('version') or '(sin dato)'} {why}".strip()
    if type == FactType.TECHNICIAN_ACTED:
        return f"técnico {word('technician') or ''}: {word('action')}".replace(
            "técnico :", "técnico:"
        )
    if type in {recovered.value for recovered in RECOVERED.values()}:
        return "llegó un hecho rescatado"
    return type


def type_is_int(value: object) -> bool:
    return type(value) is int
