"""Joining: the terms, one tap, and what remains of a visit."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import assert_never

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.admission import Allowance, Closed, DayUsedUp, Full, Resting
from captive_portal.counters import Count
from captive_portal.door import Connected, NoTerms
from captive_portal.form_seal import SealState
from captive_portal.gate.visits import GateTrouble, Visit
from captive_portal.truth import duration_words, size_words
from captive_portal.views import (
    LANG,
    address,
    language,
    local_time,
    now_ms,
    page,
    ports,
    seal_for,
    state,
    translator,
)
from captive_portal.views.refusals import show_refusal, status_of
from captive_portal.views.resume import TAKE
from captive_portal.views.troubles import gate_trouble, not_recorded
from municipio.usecases.ports import NotRecorded

welcome = Blueprint("welcome", __name__)
PURPOSE = "accept"
_log = logging.getLogger("plaza.captive_portal")


@welcome.get("/")
@welcome.get(f"/{LANG}/")
def show(lang: str = "") -> ResponseReturnValue:
    """The first page: one tap to accept, or what remains for who already did, or when to come back."""
    here = ports()
    visit = here.gate.look(address())
    if isinstance(visit, Visit) and visit.is_open:
        return _online(visit)
    outlook = here.door.outlook(address())
    if outlook is None or isinstance(outlook, Allowance):
        return _welcome(outlook)
    return show_refusal(outlook)


@welcome.get(
    "/<any(reporte,tramites,folio,emergencias,servicios,terminos,privacidad,codigo):short>"
)
def short_address(short: str) -> ResponseReturnValue:
    """Addresses short enough to type from a poster; they lead to the page in the browser's language."""
    return redirect(f"/{language()}/{short}", 302)


@welcome.get(f"/{LANG}/en-linea")
def online(lang: str) -> ResponseReturnValue:
    """What remains of the visit."""
    visit = ports().gate.look(address())
    if isinstance(visit, GateTrouble) or not visit.is_open:
        return redirect(url_for("welcome.show", lang=lang), 303)
    return _online(visit)


@welcome.post(f"/{LANG}/conectar")
def accept(lang: str) -> ResponseReturnValue:
    """The tap. Nothing opens before its record is on disk."""
    _ = translator()
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, PURPOSE, address(), now_ms())
    if claimed is SealState.USED:
        return redirect(url_for("welcome.online", lang=lang), 303)
    if claimed is not SealState.FRESH:
        ports().door.counters.add(Count.BAD_FORM)
        return _welcome(
            notice=_("La página esperó demasiado. Toque otra vez, por favor."), status=400
        )
    result = ports().door.enter(address(), lang, request.form.get("terms", ""))
    if isinstance(result, Connected):
        return redirect(url_for("welcome.online", lang=lang), 303)
    seals.release(seal)
    match result:
        case NoTerms():
            return _welcome(
                notice=_("Los términos cambiaron. Léalos y toque otra vez, por favor."), status=409
            )
        case Closed() | Full() | DayUsedUp() | Resting():
            return show_refusal(result, status_of(result))
        case NotRecorded():
            _log.warning("an acceptance could not be recorded: %s", result.cause.value)
            return not_recorded()
        case GateTrouble():
            _log.warning("the gate did not open: %s", result.cause.value)
            return gate_trouble()
        case _:
            assert_never(result)


def _welcome(
    outlook: Allowance | None = None, *, notice: str = "", status: int = 200
) -> ResponseReturnValue:
    here = ports()
    _ = translator()
    rules = here.door.profile
    allowed = outlook or Allowance(rules.session_s, rules.session_bytes)
    return page(
        "welcome.html",
        status,
        notice=notice,
        terms=here.catalogue.terms(language()),
        seal=seal_for(PURPOSE),
        lasts=duration_words(allowed.seconds, _),
        carries=size_words(allowed.bytes, _) if allowed.bytes else "",
        again=here.door.can_extend,
        twin=url_for("welcome.show", lang="en" if language() == "es" else "es"),
    )


def _online(visit: Visit) -> ResponseReturnValue:
    here = ports()
    now = local_time()
    _ = translator()
    until = (now + timedelta(seconds=visit.seconds_left)).strftime("%H:%M") if now else ""
    return page(
        "online.html",
        left=duration_words(visit.seconds_left, _),
        data_left="" if visit.bytes_left is None else size_words(visit.bytes_left, _),
        until=until,
        rotating=visit.rotating,
        take=seal_for(TAKE),
        again=here.door.can_extend,
        extend=seal_for(PURPOSE) if here.door.may_extend(visit) else "",
        terms=here.catalogue.terms(language()),
        twin=url_for("welcome.online", lang="en" if language() == "es" else "es"),
    )
