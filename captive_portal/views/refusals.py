"""Why somebody cannot come in now, what works all the same, and when to come back."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from flask.typing import ResponseReturnValue

from captive_portal.admission import Closed, DayUsedUp, Full, Refusal, Resting, Spent
from captive_portal.gate.visits import GateTrouble
from captive_portal.ports import Translate
from captive_portal.truth import duration_words
from captive_portal.views import local_time, page, ports, translator


def show_refusal(why: Refusal, status: int = 200) -> ResponseReturnValue:
    """The page of a refusal: also the first page of who would be refused anyway."""
    _ = translator()
    title, text, again = _words(why, _)
    response = page(
        "refusal.html", status, title=title, text=text, again=again, with_code=isinstance(why, Full)
    )
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response


def status_of(why: Refusal) -> int:
    """Of the answer to a tap: the place cannot serve now, or this device asks too often."""
    return 503 if isinstance(why, Closed | Full) else 429


def _words(why: Refusal, _: Translate) -> tuple[str, str, str]:
    """Title, what happened, when to come back."""
    match why:
        case Closed(opens):
            again = _opening(opens, _)
            return _("El internet está cerrado por ahora"), _("Esta red tiene horario."), again
        case Full(devices):
            text = _("No caben más aparatos por ahora. Conectados: {count}.").format(count=devices)
            return _("La red está llena"), text, _next_place(_)
        case DayUsedUp(what, resets_in_s):
            title = _("Ya usó su tiempo de hoy")
            if what is Spent.BYTES:
                title = _("Ya usó sus datos de hoy")
            again = _("Podrá conectarse otra vez en {duration}.")
            text = _("Cada aparato tiene una parte al día para que alcance para todos.")
            return title, text, again.format(duration=duration_words(resets_in_s, _))
        case Resting(seconds):
            again = _("Podrá conectarse otra vez en {duration}.")
            text = _("Entre una visita y otra hay una pausa para que otros también entren.")
            words = duration_words(max(60, seconds), _)
            return _("Es hora de una pausa"), text, again.format(duration=words)
        case _:
            assert_never(why)


def _opening(opens: datetime | None, _: Translate) -> str:
    now = local_time()
    if opens is None or now is None:
        return _("Vuelva más tarde.")
    clock = opens.strftime("%H:%M")
    days = (opens.date() - now.date()).days
    if days == 0:
        return _("Abre hoy a las {time}.").format(time=clock)
    if days == 1:
        return _("Abre mañana a las {time}.").format(time=clock)
    names = (
        _("lunes"), _("martes"), _("miércoles"), _("jueves"), _("viernes"), _("sábado"),
        _("domingo"),
    )  # fmt: skip
    return _("Abre el {day} a las {time}.").format(day=names[opens.weekday()], time=clock)


def _next_place(_: Translate) -> str:
    """When the first of the visits ends at the latest."""
    visits = ports().gate.visits()
    if isinstance(visits, GateTrouble) or not visits:
        return _("Intente de nuevo en unos minutos.")
    soonest = duration_words(max(60, min(v.seconds_left for v in visits)), _)
    return _("En {duration} se libera un lugar, o antes. Vuelva a abrir esta página.").format(
        duration=soonest
    )
