"""Spanish words of the staff's pages: how a node stands, since when, what a fact of its own says."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from central.fleet import CONTENT, Machine, Part, Standing, age_s
from central.indicators_facts import civil
from central.moments_read import moment_with_error
from central.words import moment_in_words
from municipio.device_words import technician_words
from municipio.doctor_words import DOCTOR, areas_in_words
from municipio.part_names import DEVICE_NAMES

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
    **{device: name[0].lower() + name[1:] for device, name in DEVICE_NAMES.items()},
    "health": "salud del nodo",
    "filter": "filtro",
    DOCTOR: "revisión",
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
SETTINGS = {
    "applied": "se aplicaron",
    "refused": "no sirven, siguen los anteriores",
    "undone": "se deshicieron: un programa no se sostuvo con ellos",
}
LANES = {
    "pay": "pagos",
    "rep": "reportes",
    "acc": "conexiones",
    "vit": "aparatos",
}
NO_WORD = "sin dato"
AUDITED = {
    "folio.viewed": "vio el expediente",
    "facts.viewed": "vio la lista de hechos",
    "rights.exported": "exportó el expediente",
    "rights.erased": "borró los datos personales",
    "rights.refused": "se negó el borrado",
    "retention.applied": "aplicó los plazos de conservación",
    "desk.opened": "abrió lo sellado en su oficina",
    "desk.altered": "su bitácora no es la que la ciudad conocía",
    "quarantine.read": "volvió a leer los hechos apartados",
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
    if name == CONTENT:
        return f"la lista del filtro es del {short_day(part.detail if part else '')}"
    if name == "settings":
        return f"ajustes de la ciudad: {SETTINGS.get(part.detail, '') if part else ''}".strip(" :")
    if name == "update":
        return f"la actualización no sirvió; sigue con {part.detail if part else ''}".strip()
    device = name.removeprefix("device:")
    return f"{DEVICES.get(device, device)}: {part_in_words(part)}"


def filter_in_words(parts: dict[str, Part], today: date) -> str:
    """What the filter says of itself, and how old its list is."""
    said, content = parts.get("device:filter"), parts.get(CONTENT)
    words = [] if said is None else [part_in_words(said)]
    if content is not None and content.detail:
        words.append(f"lista de {days_in_words(content.detail, today)}")
    return "; ".join(words) or NO_WORD


def printer_in_words(parts: dict[str, Part], at: datetime) -> str:
    """What the printer said last, and how long ago it said it."""
    said = parts.get("device:printer")
    if said is None:
        return NO_WORD
    return f"{STATES.get(said.state, said.state)}, hace {age_in_words(age_s(said.told_at, at))}"


def version_of(parts: dict[str, Part]) -> str:
    """The version that the node runs, by the last that it said of it."""
    node, update = parts.get("node"), parts.get("update")
    if update is not None and update.detail and (node is None or node.told_at <= update.told_at):
        return update.detail
    return node.state if node is not None and node.state else NO_WORD


def short_day(day: str) -> str:
    """`19/01/2026` of an ISO day; the text as it is when it is none."""
    try:
        return date.fromisoformat(day).strftime("%d/%m/%Y")
    except ValueError:
        return day


def days_in_words(day: str, today: date) -> str:
    """`hoy`, `hace 1 día`, `hace 12 días`; the text as it is when it is no day."""
    try:
        days = (today - date.fromisoformat(day)).days
    except ValueError:
        return day
    return "hoy" if days < 1 else f"hace {days} {'día' if days == 1 else 'días'}"


def part_in_words(part: Part | None) -> str:
    """The state of a device, and the cause when there is one."""
    if part is None:
        return NO_WORD
    state = STATES.get(part.state, part.state)
    if not part.cause:
        return state
    if part.name == f"device:{DOCTOR}":
        return areas_in_words(part.cause)
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
