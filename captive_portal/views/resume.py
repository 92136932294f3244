"""The four words of a visit: getting them, and giving them back on another device or address."""

from __future__ import annotations

from typing import assert_never

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.admission import Closed, DayUsedUp, Full, Resting
from captive_portal.counters import Count
from captive_portal.door import Connected, NoTerms, Resumed, TooManyTries, WrongCode
from captive_portal.form_seal import SealState
from captive_portal.gate.visits import GateTrouble
from captive_portal.qr import qr_path
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
from captive_portal.views.refusals import show_refusal, status_of
from captive_portal.views.troubles import gate_trouble, not_recorded
from municipio.usecases.ports import NotRecorded

resume = Blueprint("resume", __name__)
GIVE, TAKE = "code-give", "code-take"
MAX_TYPED = 80


@resume.get("/c/<words>")
def scanned(words: str) -> ResponseReturnValue:
    """What the QR holds. Nothing happens before a tap."""
    return redirect(url_for("resume.form", lang=language(), codigo=words[:MAX_TYPED]), 302)


@resume.get(f"/{LANG}/codigo")
def form(lang: str) -> ResponseReturnValue:
    return _form(request.args.get("codigo", "")[:MAX_TYPED])


@resume.post(f"/{LANG}/codigo")
def give(lang: str) -> ResponseReturnValue:
    """Words for words: the rest of the visit comes to this device."""
    _ = translator()
    typed = request.form.get("codigo", "")[:MAX_TYPED]
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, GIVE, address(), now_ms())
    if claimed is SealState.USED:
        return redirect(url_for("welcome.online", lang=lang), 303)
    if claimed is not SealState.FRESH:
        ports().door.counters.add(Count.BAD_FORM)
        return _form(typed, _("La página esperó demasiado. Toque otra vez, por favor."), 400)
    result = ports().door.resume(address(), lang, request.form.get("terms", ""), typed)
    if isinstance(result, Connected):
        return redirect(url_for("welcome.online", lang=lang), 303)
    seals.release(seal)
    return _refused(result, typed)


def _refused(result: Resumed, typed: str) -> ResponseReturnValue:
    _ = translator()
    match result:
        case WrongCode():
            return _form(
                typed,
                _("Ese código no sirve. Revise las palabras; quizá la visita ya terminó."),
                422,
            )
        case TooManyTries(wait_s):
            wait = duration_words(wait_s, _)
            return _form(
                "", _("Demasiados intentos. Espere {duration}.").format(duration=wait), 429
            )
        case NoTerms():
            return _form(
                typed, _("Los términos cambiaron. Léalos y toque otra vez, por favor."), 409
            )
        case NotRecorded():
            return not_recorded()
        case GateTrouble():
            return gate_trouble()
        case Closed() | Full() | DayUsedUp() | Resting():
            return show_refusal(result, status_of(result))
        case Connected():
            return redirect(url_for("welcome.online", lang=language()), 303)
        case _:
            assert_never(result)


@resume.post(f"/{LANG}/mi-codigo")
def take(lang: str) -> ResponseReturnValue:
    """Four words and a QR for the visit of this device, on the card before they are on the screen."""
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, TAKE, address(), now_ms())
    if claimed not in (SealState.FRESH, SealState.USED):
        ports().door.counters.add(Count.BAD_FORM)
        return redirect(url_for("welcome.show", lang=lang), 303)
    code = ports().door.code_for(address())
    if not code:
        seals.release(seal)
        return redirect(url_for("welcome.show", lang=lang), 303)
    here = ports().site
    bars, size = qr_path(f"{here.public_url}/c/{code}")
    return page(
        "code.html",
        words=code.split("-"),
        bars=bars,
        size=size,
        short=here.public_url.partition("://")[2] + "/codigo",
        twin=url_for("welcome.online", lang="en" if lang == "es" else "es"),
    )


def _form(typed: str, notice: str = "", status: int = 200) -> ResponseReturnValue:
    return page(
        "resume.html",
        status,
        typed=typed,
        notice=notice,
        terms=ports().catalogue.terms(language()),
        seal=seal_for(GIVE),
        twin=url_for("resume.form", lang="en" if language() == "es" else "es"),
    )
