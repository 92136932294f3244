"""Joining: the terms, one tap, and what remains of a visit."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import assert_never

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.consent import Connected, NoTerms, accept_terms
from captive_portal.form_seal import SealState
from captive_portal.gate.visits import GateTrouble, Visit
from captive_portal.truth import duration_words
from captive_portal.views import (
    LANG,
    address,
    language,
    now_ms,
    page,
    ports,
    seal_for,
    state,
    translator,
)
from municipio.usecases.ports import NotRecorded

welcome = Blueprint("welcome", __name__)
PURPOSE = "accept"
_log = logging.getLogger("plaza.captive_portal")


@welcome.get("/")
@welcome.get(f"/{LANG}/")
def show(lang: str = "") -> ResponseReturnValue:
    """The first page: one tap to accept, or what remains for who already did."""
    visit = ports().gate.look(address())
    if isinstance(visit, Visit) and visit.is_open:
        return _online(visit)
    return _welcome()


@welcome.get("/<any(reporte,tramites,folio,emergencias,servicios,terminos,privacidad):short>")
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
        return _welcome(_("La página esperó demasiado. Toque otra vez, por favor."), 400)
    result = accept_terms(ports(), address(), lang, request.form.get("terms", ""))
    if isinstance(result, Connected):
        return redirect(url_for("welcome.online", lang=lang), 303)
    seals.release(seal)
    _log.warning("an acceptance opened nothing: %s", result)
    match result:
        case NoTerms():
            return _welcome(_("Los términos cambiaron. Léalos y toque otra vez, por favor."), 409)
        case NotRecorded():
            title = _("No pudimos guardar su aceptación")
            text = _(
                "Por eso no abrimos el internet. Los servicios de esta página sí funcionan. "
                "Intente de nuevo en unos minutos."
            )
        case GateTrouble():
            title = _("No pudimos abrirle el paso a internet")
            text = _(
                "Apague y encienda el Wi-Fi de su teléfono e intente otra vez. "
                "Los servicios de esta página sí funcionan."
            )
        case _:
            assert_never(result)
    return page("notice.html", 503, title=title, text=text)


def _welcome(notice: str = "", status: int = 200) -> ResponseReturnValue:
    here = ports()
    return page(
        "welcome.html",
        status,
        notice=notice,
        terms=here.catalogue.terms(language()),
        seal=seal_for(PURPOSE),
        lasts=duration_words(here.site.session_s, translator()),
        twin=url_for("welcome.show", lang="en" if language() == "es" else "es"),
    )


def _online(visit: Visit) -> ResponseReturnValue:
    here = ports()
    now = here.clock.now()
    until = ""
    if now.is_trusted and now.time is not None:
        end = now.time + timedelta(seconds=visit.seconds_left)
        until = end.astimezone(here.site.zone).strftime("%H:%M")
    return page(
        "online.html",
        left=duration_words(visit.seconds_left, translator()),
        until=until,
        twin=url_for("welcome.online", lang="en" if language() == "es" else "es"),
    )
