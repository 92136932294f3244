"""What is judged of the node's memory: settings, contact, queue, filter list, content, versions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from municipio.clock import TRUSTED_QUALITIES
from municipio.usecases.ports import LinkState
from plaza.doctor.finding import N_, Area, Finding, notice, ok, trouble, unknown
from plaza.doctor.snapshot import Snapshot

CONTACT_NOTICE_H, CONTACT_TROUBLE_H = 24, 7 * 24
QUEUE_NOTICE_H, QUEUE_TROUBLE_H = 24, 7 * 24
CONTENT_NOTICE_D, CONTENT_TROUBLE_D = 30, 90
"""After ninety days the city's signature on the list of content has run out: it is «contenido antiguo»."""
FILTER_NOTICE_D, FILTER_TROUBLE_D = 30, 120


def _written(day: date) -> str:
    """As Mexico writes a date in figures: `20/11/2026`."""
    return day.strftime("%d/%m/%Y")


def check_settings(seen: Snapshot) -> Iterator[Finding]:
    if seen.settings_trouble:
        yield trouble(
            Area.SITE,
            N_("No se entienden los ajustes: {detail}"),
            N_("Corrija el archivo: plaza settings check dice la línea y la clave más parecida"),
            detail=seen.settings_trouble,
        )


def check_contact(seen: Snapshot) -> Iterator[Finding]:
    contact = seen.contact
    if not contact.has_key:
        yield notice(
            Area.CONTACT,
            N_("Este nodo todavía no tiene llave: no está dado de alta"),
            N_("Siga «Dar de alta un nodo»; atiende sin conexión mientras tanto"),
        )
        return
    hours = _hours(contact.last, seen)
    if contact.state == LinkState.ONLINE:
        yield ok(Area.CONTACT, N_("En contacto con la ciudad"))
    elif contact.last is None:
        yield notice(
            Area.CONTACT,
            N_("Nunca ha hablado con la ciudad"),
            N_("Revise la salida a Internet, central.url y que la ciudad aprobó el nodo"),
        )
    elif hours is None:
        yield unknown(
            Area.CONTACT,
            N_("Sin contacto; no se sabe desde cuándo porque la hora no es segura"),
            N_("Revise la salida a Internet"),
        )
    elif hours >= CONTACT_TROUBLE_H:
        yield trouble(
            Area.CONTACT,
            N_("Sin contacto con la ciudad desde hace {days} días"),
            N_("Repare la salida, o lleve lo pendiente en una memoria USB"),
            days=hours // 24,
        )
    elif hours >= CONTACT_NOTICE_H:
        yield notice(
            Area.CONTACT,
            N_("Sin contacto con la ciudad desde hace {hours} horas"),
            N_("Revise la salida; nada se pierde mientras tanto"),
            hours=hours,
        )
    else:
        yield ok(
            Area.CONTACT, N_("Último contacto hace menos de {hours} horas"), hours=max(2, hours + 1)
        )
    if contact.trouble:
        yield notice(
            Area.CONTACT,
            N_("La ciudad o el camino contestan: {trouble}"),
            N_("La lista de estas palabras y qué hacer está en docs/how-to/que-hacer-si.md"),
            trouble=contact.trouble,
        )


def check_queue(seen: Snapshot) -> Iterator[Finding]:
    queue = seen.queue
    if queue is None:
        yield ok(Area.QUEUE, N_("Todavía no hay libro: nada se ha anotado"))
        return
    if queue.damage:
        yield trouble(
            Area.QUEUE,
            N_("El libro del nodo no se puede abrir: {detail}"),
            N_("Los programas lo rescatan al arrancar; si sigue, plaza sync salvage"),
            detail=queue.damage,
        )
        return
    total, hours = sum(queue.waiting.values()), _hours(queue.oldest, seen)
    lanes = ", ".join(f"{lane} {n}" for lane, n in queue.waiting.items() if n)
    if not total:
        yield ok(Area.QUEUE, N_("Nada por enviar"))
    elif hours is not None and hours >= QUEUE_TROUBLE_H:
        yield trouble(
            Area.QUEUE,
            N_("Hechos por enviar: {n} ({lanes}); el más viejo, de hace {days} días"),
            N_("Lleve lo pendiente en una memoria USB: nada se borra por viejo"),
            n=total, days=hours // 24, lanes=lanes,
        )  # fmt: skip
    elif hours is not None and hours >= QUEUE_NOTICE_H:
        yield notice(
            Area.QUEUE,
            N_("Hechos por enviar: {n} ({lanes}); el más viejo, de hace {hours} horas"),
            N_("Salen solos cuando haya conexión"),
            n=total, hours=hours, lanes=lanes,
        )  # fmt: skip
    else:
        yield ok(Area.QUEUE, N_("Hechos por enviar: {n} ({lanes})"), n=total, lanes=lanes)
    yield from _odd_queue(seen)


def _odd_queue(seen: Snapshot) -> Iterator[Finding]:
    queue = seen.queue
    assert queue is not None
    if queue.refused:
        yield notice(
            Area.QUEUE,
            N_("Hechos de este nodo que la ciudad puso en cuarentena: {n}"),
            N_("Avise a la ciudad: plaza sync status dice los folios"),
            n=queue.refused,
        )
    if queue.files_missing:
        yield trouble(
            Area.QUEUE,
            N_("Fotos selladas que faltan y debían enviarse: {n}"),
            N_("La memoria perdió archivos: revise la tarjeta"),
            n=queue.files_missing,
        )
    if queue.epoch_reason not in ("", "first"):
        yield notice(
            Area.QUEUE,
            N_("El libro empezó otra época ({reason}): hubo un rescate o una copia"),
            N_("Es normal después de cambiar la tarjeta; si no la cambió, avise a la ciudad"),
            reason=queue.epoch_reason,
        )


def check_filter(seen: Snapshot) -> Iterator[Finding]:
    found = seen.filter
    if not seen.has_portal:
        return
    if found.day is None:
        yield trouble(
            Area.FILTER,
            N_("No hay lista del filtro que se pueda leer"),
            N_("Tráigala: plaza sync pull, o una memoria USB de la ciudad"),
        )
        return
    days = _days(found.day, seen)
    if found.is_baseline:
        yield notice(
            Area.FILTER,
            N_("El filtro usa la lista que vino con la imagen, del {day}"),
            N_("Llega otra con el contenido: plaza sync pull"),
            day=_written(found.day),
        )
    elif days is None:
        yield unknown(
            Area.FILTER,
            N_("La lista del filtro es del {day}; su edad no se sabe"),
            N_("Primero ponga la hora"),
            day=_written(found.day),
        )
    elif days >= FILTER_NOTICE_D:
        make = trouble if days >= FILTER_TROUBLE_D else notice
        yield make(
            Area.FILTER,
            N_("La lista del filtro tiene {days} días"),
            N_("Tráigala: plaza sync pull, o una memoria USB de la ciudad"),
            days=days,
        )
    else:
        names, day = f"{found.names:,}", _written(found.day)
        yield ok(Area.FILTER, N_("Lista del {day}, con {n} nombres"), n=names, day=day)


def check_content(seen: Snapshot) -> Iterator[Finding]:
    day = seen.content.day
    if day is None:
        yield trouble(
            Area.CONTENT,
            N_("No hay contenido: ni trámites ni predial"),
            N_("Tráigalo: plaza sync pull, plaza content import, o una memoria USB de la ciudad"),
        )
        return
    days = _days(day, seen)
    if days is None:
        yield unknown(
            Area.CONTENT,
            N_("El contenido es del {day}; su edad no se sabe"),
            N_("Primero ponga la hora"),
            day=_written(day),
        )
    elif days >= CONTENT_NOTICE_D:
        make = trouble if days >= CONTENT_TROUBLE_D else notice
        yield make(
            Area.CONTENT,
            N_("El contenido tiene {days} días"),
            N_("Tráigalo: plaza sync pull, o una memoria USB de la ciudad"),
            days=days,
        )
    else:
        yield ok(Area.CONTENT, N_("Contenido del {day}"), day=_written(day))


def check_versions(seen: Snapshot) -> Iterator[Finding]:
    versions = seen.versions
    image = versions.image
    if image is not None:
        yield ok(
            Area.VERSIONS,
            N_("Imagen {version} para {board}, libro {schema}"),
            version=image.version, board=image.board, schema=versions.writes_schema,
        )  # fmt: skip
    else:
        yield ok(
            Area.VERSIONS,
            N_("Plaza {version} en {system}, libro {schema}"),
            version=versions.plaza, system=versions.system, schema=versions.writes_schema,
        )  # fmt: skip
    held = versions.ledger_schema
    if held is not None and held > versions.writes_schema:
        yield notice(
            Area.VERSIONS,
            N_("El libro lo escribió una versión más nueva ({held}, esta escribe {schema})"),
            N_("Es normal después de volver atrás una actualización; no hace falta nada más"),
            held=held, schema=versions.writes_schema,
        )  # fmt: skip


def _hours(moment: datetime | None, seen: Snapshot) -> int | None:
    now = seen.clock.now
    if moment is None or now is None or seen.clock.quality not in TRUSTED_QUALITIES:
        return None
    return max(0, int((now - moment).total_seconds()) // 3600)


def _days(day: date, seen: Snapshot) -> int | None:
    now = seen.clock.now
    if now is None or seen.clock.quality not in TRUSTED_QUALITIES:
        return None
    return max(0, (now.date() - day).days)
