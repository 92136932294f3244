"""How a technician's login and the node's things read on the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hardware.health.state import Finding, ItemState
from kiosk.language import SPANISH
from kiosk.presenters.base import Tone
from kiosk.presenters.views_tecnico import StatusRow
from kiosk.usecases.technician_desk import Round
from kiosk.usecases.technician_progress import Limit, Refusal
from municipio.cash import CashBox
from municipio.device_words import technician_words
from municipio.devices import DeviceState, DeviceStatus
from municipio.folio_words import long_date
from municipio.money import format_mxn
from municipio.part_names import DEVICE_NAMES, HEALTH_NAMES
from municipio.technicians import SessionEnd
from municipio.usecases.ports import LinkReport, LinkState
from municipio.wire.technician_list import ListTrouble
from sync.doctor_note import DoctorNote

Gettext = Callable[[str], str]
Group = tuple[str, tuple[StatusRow, ...]]

OLD_CONTENT_DAYS = 30
WELL, ODD, BAD, UNSURE = (
    ("circle-check", Tone.LEAF),
    ("triangle-alert", Tone.SUN),
    ("octagon-alert", Tone.CLAY),
    ("circle-help", Tone.SUN),
)
_LOOKS = {
    DeviceState.READY: WELL,
    DeviceState.BUSY: WELL,
    DeviceState.STARTING: UNSURE,
    DeviceState.UNKNOWN: UNSURE,
    DeviceState.ATTENTION: ODD,
    DeviceState.ABSENT: BAD,
    DeviceState.FAULT: BAD,
}
_ITEM_LOOKS = {
    ItemState.OK: WELL,
    ItemState.UNKNOWN: UNSURE,
    ItemState.ATTENTION: ODD,
    ItemState.FAULT: BAD,
}

_EXAMINED_LOOKS = {"notice": ODD, "unknown": UNSURE, "trouble": BAD}


def refusal(why: Refusal, detail: str, _: Gettext) -> str:
    """Why a card or a try was not enough, and what to do."""
    if why is Refusal.NO_LIST:
        return _list_trouble(detail, _)
    words = {
        Refusal.LIST_EXPIRED: _("La lista de técnicos venció. Pida a la ciudad la lista nueva."),
        Refusal.LIST_NOT_YET: _("La lista de técnicos todavía no empieza a valer."),
        Refusal.UNKNOWN_CARD: _("Esta tarjeta no está en la lista de técnicos de la ciudad."),
        Refusal.PERSON_EXPIRED: _("Su permiso venció. Pida a la ciudad que lo renueve."),
        Refusal.PERSON_NOT_YET: _("Su permiso todavía no empieza a valer."),
        Refusal.WRONG_PIN: _("El NIP no es correcto."),
        Refusal.PIN_BLOCKED: _("El NIP está bloqueado. La ciudad debe desbloquear la tarjeta."),
        Refusal.LAST_TRY: _("No se usó el intento: es el último."),
        Refusal.NOT_THE_KEY: _("La tarjeta no comprobó que es la original."),
        Refusal.CARD_GONE: _("La tarjeta salió antes de terminar."),
        Refusal.CARD_TROUBLE: _("La tarjeta no contestó bien. Sáquela y métala otra vez."),
    }
    return words[why]


def _list_trouble(detail: str, _: Gettext) -> str:
    words = {
        ListTrouble.MISSING: _("Este kiosco no tiene la lista de técnicos de la ciudad."),
        ListTrouble.OTHER_CITY: _("La lista de técnicos es de otra ciudad."),
        ListTrouble.OLDER: _("La lista de técnicos es más vieja que otra ya usada aquí."),
        ListTrouble.BAD_SIGNATURE: _("La lista de técnicos no la firmó la ciudad."),
    }
    known = ListTrouble(detail) if detail in set(ListTrouble) else ListTrouble.MALFORMED
    return words.get(known, _("La lista de técnicos no se puede leer."))


def limit(why: Limit, _: Gettext) -> str:
    words = {
        Limit.TIME_UNSURE: _("El kiosco no sabe qué día es: solo diagnóstico, sin dinero."),
        Limit.NOT_RECORDED: _("El kiosco no puede guardar datos: solo diagnóstico, sin dinero."),
    }
    return words[why]


def ended(why: SessionEnd, _: Gettext) -> str:
    if why is SessionEnd.OVERALL:
        return _("Pasaron doce horas. Para seguir, saque su tarjeta y métala otra vez.")
    return _("Pasó media hora sin actividad. Para seguir, saque su tarjeta y métala otra vez.")


def wait_text(seconds: int, _: Gettext) -> str:
    """Minutes are rounded up: nobody comes back too early."""
    if seconds == 1:
        return _("Podrá intentar otra vez en 1 segundo.")
    if seconds <= 90:
        return _("Podrá intentar otra vez en {n} segundos.").format(n=seconds)
    return _("Podrá intentar otra vez en {n} minutos.").format(n=-(-seconds // 60))


def tries_text(left: int | None, _: Gettext) -> str:
    if left is None:
        return _("La tarjeta no dice cuántos intentos quedan.")
    if left == 1:
        return _("Le queda un intento.")
    return _("Le quedan {n} intentos.").format(n=left)


# --- the page ---------------------------------------------------------------------------------


def page(seen: Round, today: date | None, _: Gettext, language: str = SPANISH) -> tuple[Group, ...]:
    """Everything that was looked at, in the order in which a technician would ask."""
    devices = tuple(_device(name, status, _) for name, status in seen.devices)
    groups = [
        (_("Revisión del nodo"), _examined(seen.examination, _, language)),
        (_("Equipos"), devices),
        (_("Conexión y datos"), (*_link(seen.link, _), _content(seen.content_date, today, _))),
    ]
    if seen.health is not None:
        groups.append((_("Salud del nodo"), tuple(_item(f, _) for f in seen.health)))
    if seen.box is not None:
        groups.append((_("Efectivo por el registro"), _box(seen.box, _)))
    return tuple((title, rows) for title, rows in groups if rows)


def _examined(note: DoctorNote | None, _: Gettext, language: str) -> tuple[StatusRow, ...]:
    """What the doctor found wrong lately, each with what to do; nothing when it did not look."""
    if note is None:
        return ()
    rows = []
    for number, line in enumerate(line for line in note.lines if line.state != "ok"):
        icon, tone = _EXAMINED_LOOKS.get(line.state, UNSURE)
        what = line.what.get(language, "")
        rows.append(
            StatusRow(f"tecnico.doctor.{number}", what, line.to_do.get(language, ""), icon, tone)
        )
    if not rows:
        text = _("Sin fallas en la última revisión")
        return (StatusRow("tecnico.doctor", _("Todo el nodo"), text, *WELL),)
    return tuple(rows)


def _device(name: str, status: DeviceStatus, _: Gettext) -> StatusRow:
    icon, tone = ODD if status.state is DeviceState.READY and status.cause else _LOOKS[status.state]
    return StatusRow(f"tecnico.device.{name}", _(DEVICE_NAMES.get(name, name)), status_text(name, status, _),
                     icon, tone)  # fmt: skip


def status_text(name: str, status: DeviceStatus, _: Gettext) -> str:
    """State in words and what to do."""
    states = {
        DeviceState.READY: _("Funciona"),
        DeviceState.BUSY: _("En uso"),
        DeviceState.STARTING: _("Revisando…"),
        DeviceState.ATTENTION: _("Necesita atención"),
        DeviceState.FAULT: _("Tiene una falla"),
        DeviceState.ABSENT: _("No está conectado"),
        DeviceState.UNKNOWN: _("No se sabe: no contesta"),
    }
    if not status.cause:
        return states[status.state]
    told = _sentence(_(technician_words(name, status.cause)))
    return f"{states[status.state]}. {told}"


def _item(finding: Finding, _: Gettext) -> StatusRow:
    icon, tone = _ITEM_LOOKS[finding.state]
    parts = [] if finding.value is None else [f"{finding.value} {finding.unit}".strip()]
    if finding.cause is not None:
        parts.append(_sentence(_(technician_words("health", finding.cause.value))))
    name = f"tecnico.item.{finding.item.value}"
    return StatusRow(
        name, _(HEALTH_NAMES[finding.item.value]), ". ".join(parts) or _("Bien"), icon, tone
    )


def _link(link: LinkReport, _: Gettext) -> tuple[StatusRow, StatusRow]:
    states = {
        LinkState.ONLINE: (_("En línea"), WELL),
        LinkState.OFFLINE: (_("Sin conexión"), ODD),
        LinkState.UNKNOWN: (_("No se sabe: el envío a la ciudad no contesta"), UNSURE),
    }
    text, (icon, tone) = states[link.state]
    if link.last_carried:
        sent = _("Último envío: {when}").format(when=link.last_carried[:16].replace("T", " "))
        text = f"{text}. {sent} UTC"
    queue = _("Nada por enviar")
    if link.waiting:
        queue = _("{n} por enviar a la ciudad").format(n=link.waiting)
    queue_look = WELL if not link.waiting or link.state is LinkState.ONLINE else ODD
    return (
        StatusRow("tecnico.link", _("Conexión con la ciudad"), text, icon, tone),
        StatusRow("tecnico.queue", _("Cola de envío"), queue, *queue_look),
    )


def _content(published: date | None, today: date | None, _: Gettext) -> StatusRow:
    label = _("Contenido")
    if published is None:
        text = _("No hay contenido: cárguelo con una memoria USB o espere la conexión")
        return StatusRow("tecnico.content", label, text, *BAD)
    text = _("Del {date}").format(date=long_date(published, _))
    if today is None:
        return StatusRow("tecnico.content", label, text, *UNSURE)
    days = max(0, (today - published).days)
    recent = {0: _("de hoy"), 1: _("de ayer")}
    aged = recent.get(days, _("hace {n} días").format(n=days))
    look = WELL if days <= OLD_CONTENT_DAYS else ODD
    return StatusRow("tecnico.content", label, f"{text}, {aged}", *look)


def _box(box: CashBox, _: Gettext) -> tuple[StatusRow, ...]:
    rows = (
        ("notes", _("Billetes"), format_mxn(box.notes_centavos)),
        ("coins", _("Monedas en la caja"), format_mxn(box.coins_centavos)),
        ("hopper", _("Tolva de cambio"), format_mxn(box.hopper_centavos)),
    )
    sure = not (box.doubt_centavos or box.change_doubt_centavos or box.unread_pieces)
    look = WELL if sure else UNSURE
    return tuple(StatusRow(f"tecnico.box.{k}", label, text, *look) for k, label, text in rows)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
