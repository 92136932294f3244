"""What the portal says about the connection, in words: the truth, with its time when the time is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from captive_portal.ports import Translate
from captive_portal.service_note import ServiceToday
from municipio.clock import Instant
from municipio.usecases.ports import LinkReport, LinkState


@dataclass(frozen=True, slots=True)
class Truth:
    """Sentences for the page. `since` is empty when online or when nobody knows."""

    is_down: bool
    is_unknown: bool
    since: str
    waiting: str
    hours: str = ""
    """Today's hours of service, when the battery limits them."""
    only_services: bool = False
    """No filter list can be read, so that nothing but the city's services resolves."""


def tell(
    link: LinkReport,
    now: Instant,
    zone: ZoneInfo,
    _: Translate,
    *,
    today: ServiceToday | None = None,
    only_services: bool = False,
) -> Truth:
    """Words for a link report. A report that nobody refreshed is unknown, not online."""
    down = link.state is LinkState.OFFLINE
    since = _when(link.since, now, zone, _)
    return Truth(
        is_down=down,
        is_unknown=link.state is LinkState.UNKNOWN,
        since=since if down else "",
        waiting=_waiting(link, now, zone, _),
        hours=_hours(today, _),
        only_services=only_services,
    )


def _hours(today: ServiceToday | None, _: Translate) -> str:
    if today is None:
        return ""
    if not today.since:
        return _("Por la batería, hoy hay servicio hasta las {until}.").format(until=today.until)
    return _("Por la batería, hoy hay servicio de {since} a {until}.").format(
        since=today.since, until=today.until
    )


def _waiting(link: LinkReport, now: Instant, zone: ZoneInfo, _: Translate) -> str:
    waiting = link.waiting if link.requests is None else link.requests
    if waiting == 0:
        return _("Nada espera aquí: todo llegó al Ayuntamiento.")
    if waiting == 1:
        first = _("1 solicitud espera aquí para enviarse.")
    else:
        first = _("{count} solicitudes esperan aquí para enviarse.").format(count=waiting)
    carried = _when(link.last_carried, now, zone, _)
    last = _("Último envío: {when}.").format(when=carried)
    return f"{first} {last}" if carried else first


def _when(stamp: str, now: Instant, zone: ZoneInfo, _: Translate) -> str:
    """`hoy, 16:40`, `ayer, 16:40` or `18/01/2026, 16:40`; empty without a stamp or a believable clock."""
    if not stamp or not now.is_trusted:
        return ""
    try:
        moment = datetime.fromisoformat(stamp).astimezone(zone)
    except ValueError:
        return ""
    today = now.local_date(zone)
    clock = moment.strftime("%H:%M")
    if today == moment.date():
        return _("hoy, {time}").format(time=clock)
    if today is not None and today - moment.date() == timedelta(days=1):
        return _("ayer, {time}").format(time=clock)
    return moment.strftime("%d/%m/%Y, ") + clock


def duration_words(seconds: int, _: Translate) -> str:
    """`2 horas`, `1 h 59 min`, `14 min`: how long a visit lasts or has left, never rounded up."""
    hours, minutes = divmod(seconds // 60, 60)
    if hours and minutes:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    if hours == 1:
        return _("1 hora")
    if hours:
        return _("{hours} horas").format(hours=hours)
    if minutes:
        return _("{minutes} min").format(minutes=minutes)
    return _("menos de un minuto")


def size_words(size: int, _: Translate) -> str:
    """`1.5 GB`, `350 MB`: bytes that are left, in the decimal units of telephone plans, never rounded up."""
    if size >= 1_000_000_000:
        return _("{number}\u00a0GB").format(number=f"{size // 100_000_000 / 10:g}")
    if size >= 1_000_000:
        return _("{number}\u00a0MB").format(number=size // 1_000_000)
    return _("menos de 1 MB")
