"""Adding a photo to a report from the telephone's real browser, with the four words of its folio."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from captive_portal.counters import Count
from captive_portal.form_seal import SealState
from captive_portal.photo_codes import Claim, CodeState
from captive_portal.photos import PhotoFlaw, PhotoProblem
from captive_portal.ports import Translate
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
from captive_portal.views.services import clean_folio
from municipio.usecases.ports import AttachmentRef, NotRecorded
from municipio.usecases.reports import RECIPIENT, add_photo

photos = Blueprint("photos", __name__)
PURPOSE = "photo"
FIELDS = ("photo_now", "photo_kept")
"""Two ways to one photo: the camera, and the album; the first that holds something counts."""


@photos.get("/foto")
def short() -> ResponseReturnValue:
    """The address that a person types."""
    return redirect(url_for("photos.form", lang=language()), 302)


@photos.get(f"/{LANG}/foto")
def form(lang: str) -> ResponseReturnValue:
    return _form(request.args.get("codigo", "")[:80])


@photos.post(f"/{LANG}/foto")
def add(lang: str) -> ResponseReturnValue:
    """Code, photo, fact. A code is used up by a photo that is recorded, and by nothing else."""
    _ = translator()
    typed = request.form.get("codigo", "")[:80]
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, PURPOSE, address(), now_ms())
    if claimed is SealState.USED and (folio := seals.result_of(seal)):
        return redirect(url_for("photos.added", lang=lang, folio=folio), 303)
    if claimed is not SealState.FRESH:
        return _form(
            typed, _("La página esperó demasiado. Envíe la foto otra vez, por favor."), 400
        )
    raw = chosen_photo()
    seals.release(seal)
    if not raw:
        return _form(typed, _("Tome una foto o elija una, por favor."), 422)
    answer = _claimed(typed)
    if not isinstance(answer, Claim):
        return answer
    problem = _attach(answer, raw)
    if problem is not None:
        return _form(typed, problem, 422)
    seals.claim(seal, PURPOSE, address(), now_ms())
    seals.keep_result(seal, answer.folio)
    return redirect(url_for("photos.added", lang=lang, folio=answer.folio), 303)


@photos.get(f"/{LANG}/foto/lista/<folio>")
def added(lang: str, folio: str) -> ResponseReturnValue:
    shown = clean_folio(folio)
    if ports().ledger.folio(shown) is None:
        return redirect(url_for("services.folio", lang=lang, folio=shown), 303)
    return page("photo_added.html", folio=shown)


def chosen_photo() -> bytes:
    """The bytes of the first photo in the form; empty when there is none."""
    for name in FIELDS:
        file = request.files.get(name)
        if isinstance(file, FileStorage) and (raw := file.stream.read()):
            return raw
    return b""


def keep_photo(raw: bytes) -> AttachmentRef | PhotoProblem:
    """Sealed to the office that attends reports, and counted."""
    here = ports()
    kept = here.photos.store.keep(raw, RECIPIENT)
    refused = isinstance(kept, PhotoProblem)
    here.door.counters.add(Count.PHOTO_REFUSED if refused else Count.PHOTO_KEPT)
    return kept


def _claimed(typed: str) -> Claim | ResponseReturnValue:
    """An open code, or the page that says why not."""
    _ = translator()
    desk = ports().photos
    if not desk.tries.may(address()):
        return _form("", _("Demasiados intentos. Espere diez minutos, por favor."), 429)
    claim = desk.codes.claim(typed)
    if claim.state is CodeState.OPEN:
        return claim
    desk.tries.count(address())
    if claim.state is CodeState.USED:
        return _form("", _("Estas palabras ya se usaron para agregar una foto."), 409)
    return _form(
        typed,
        _("No conocemos esas palabras. Revise cómo se escriben; sirven 24 horas y solo aquí."),
        422,
    )


def _attach(claim: Claim, raw: bytes) -> str | None:
    """Store and record; what to say when it did not come to be."""
    _ = translator()
    here = ports()
    kept = keep_photo(raw)
    if isinstance(kept, PhotoProblem):
        here.photos.codes.release(claim)
        return flaw_words(kept.flaw, _)
    recorded = add_photo(claim.folio, kept, ledger=here.ledger, channel="portal")
    if isinstance(recorded, NotRecorded):
        here.photos.codes.release(claim)
        return flaw_words(PhotoFlaw.NOT_STORED, _)
    here.photos.codes.finish(claim)
    return None


def flaw_words(flaw: PhotoFlaw, _: Translate) -> str:
    return {
        PhotoFlaw.NOT_A_PHOTO: _("No pudimos abrir esa foto. Pruebe con otra, en JPEG o PNG."),
        PhotoFlaw.TOO_LARGE: _("Esa foto es demasiado grande. Pruebe con otra más pequeña."),
        PhotoFlaw.BUSY: _("Ahora mismo llegan otras fotos. Intente de nuevo en un minuto."),
        PhotoFlaw.NOT_STORED: _("No pudimos guardar la foto. Intente de nuevo más tarde."),
    }[flaw]


def _form(typed: str, notice: str = "", status: int = 200) -> ResponseReturnValue:
    return page("photo.html", status, typed=typed, notice=notice, seal=seal_for(PURPOSE))
