"""The technician's checklist of a portal that is being put up, behind a pass or the site code."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from captive_portal.form_seal import SealState
from captive_portal.putting_up import PuttingUp
from captive_portal.tries import Tries
from captive_portal.views import LANG, address, now_ms, page, ports, seal_for, state, translator
from captive_portal.views.status import may_see
from municipio.acceptance import Sight, acceptance_steps, is_accepted
from sync.site_code import CodeAnswer

installation = Blueprint("installation", __name__)
PURPOSE = "installation"


@installation.record
def _watch(setup: BlueprintSetupState) -> None:
    clock = setup.app.extensions["plaza"].ports.clock
    tries = Tries(lambda: clock.now().boot_ms, most_each=5, most_all=20, window_s=600)
    setup.app.extensions["plaza.installation"] = tries


@installation.get(f"/{LANG}/instalacion")
def show(lang: str) -> ResponseReturnValue:
    """404 where the node was not made by a site file; the list only with a pass."""
    here = _here()
    key, given = ports().status_key(), request.args.get("clave", "")
    if given and key is not None and may_see(key, given):
        return _list(here, given)
    return _ask("", 403 if given else 200)


@installation.post(f"/{LANG}/instalacion")
def enter(lang: str) -> ResponseReturnValue:
    """The site code. Wrong ones are counted on the disk, and by address in memory."""
    here, _ = _here(), translator()
    seal = request.form.get("seal", "")
    if state().seal.claim(seal, PURPOSE, address(), now_ms()) is not SealState.FRESH:
        return _ask(_("La página caducó. Escriba la clave otra vez."), 400)
    tries = _tries()
    if not tries.may(address()):
        return _ask(_("Demasiados intentos. Espere diez minutos."), 429)
    tries.count(address())
    answer, given = here.open(request.form.get("codigo", "").strip()[:16])
    if answer is CodeAnswer.OPENED:
        return redirect(url_for("installation.show", lang=lang, clave=given), 303)
    texts = {
        CodeAnswer.WRONG: _("La clave no es correcta."),
        CodeAnswer.CLOSED: _("Esta clave ya no abre: ya se usó o se intentó demasiado."),
        CodeAnswer.NOT_STORED: _("El nodo no puede guardar datos: revise la memoria."),
    }
    return _ask(texts[answer], 403)


def _here() -> PuttingUp:
    here = ports().putting_up
    if here is None:
        abort(404)
    return here


def _tries() -> Tries:
    tries = current_app.extensions["plaza.installation"]
    assert isinstance(tries, Tries)
    return tries


def _ask(notice: str, status: int) -> ResponseReturnValue:
    return page(
        "installation_code.html",
        status,
        notice=notice,
        seal=seal_for(PURPOSE),
        may_open=_here().may_open(),
    )


def _list(here: PuttingUp, given: str) -> ResponseReturnValue:
    _, lang = translator(), (request.view_args or {})["lang"]
    steps = acceptance_steps(here.snapshot(), _)
    other = "en" if lang == "es" else "es"
    return page(
        "installation.html",
        steps=steps,
        whole=is_accepted(steps),
        faults=here.faults(),
        twin=url_for("installation.show", lang=other, clave=given),
        again=url_for("installation.show", lang=lang, clave=given),
        more=url_for("status.show", lang=lang, clave=given),
    )


@installation.after_app_request
def _note_sights(response: Response) -> Response:
    """Anything that a device asks proves that it joined; the first page, that it was seen."""
    here = ports().putting_up
    if here is not None and not (request.remote_addr or "").startswith("127."):
        here.note(Sight.JOINED)
        if request.endpoint == "welcome.show" and response.status_code == 200:
            here.note(Sight.PAGE)
    return response
