"""A citizen's report from the phone, with or without the Internet; the same rules as the kiosk."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.counters import Count
from captive_portal.form_seal import SealState
from captive_portal.photos import PhotoFlaw, PhotoProblem
from captive_portal.views import (
    LANG,
    address,
    now_ms,
    page,
    ports,
    seal_for,
    state,
    translator,
)
from captive_portal.views.photos import chosen_photo, flaw_words, keep_photo
from captive_portal.views.services import clean_folio
from captive_portal.words import read_code, spell_code
from municipio.reports import ReportDraft, ReportProblem
from municipio.usecases.ports import AttachmentRef, NotRecorded
from municipio.usecases.reports import RECIPIENT, ReportFiled, file_report

reports = Blueprint("reports", __name__)
PURPOSE = "report"
MAX_SUGGESTED_COLONIAS = 120
_FIELDS = ("service_code", "colonia", "street", "between_1", "between_2", "description", "phone")


@reports.get(f"/{LANG}/reporte")
def form(lang: str) -> ResponseReturnValue:
    """The empty form; what could not be sent is not asked for."""
    return _form({}) if _is_open() else _closed()


@reports.post(f"/{LANG}/reporte")
def file(lang: str) -> ResponseReturnValue:
    """Check and record. The same form sent twice is one report with one folio."""
    _ = translator()
    typed = {name: request.form.get(name, "") for name in _FIELDS}
    typed["phone_consent"] = request.form.get("phone_consent", "")
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, PURPOSE, address(), now_ms())
    if claimed is SealState.USED and (shown := seals.result_of(seal)):
        return redirect(shown, 303)
    if claimed is not SealState.FRESH:
        note = _("La página esperó demasiado. Revise sus datos y envíe otra vez, por favor.")
        return _form(typed, notice=note, status=400)
    here = ports()
    if not _is_open():
        return _closed()
    photo = _Photo(chosen_photo())
    result = file_report(
        _draft(typed),
        ledger=here.ledger,
        catalogue=here.catalogue,
        sealer=here.sealer,
        channel="portal",
        language=lang,
        today=here.clock.now().local_date(here.site.zone),
        photo=photo.keep,
    )
    if isinstance(result, ReportFiled):
        here.door.counters.add(Count.REPORT_FILED)
        shown = _answer(lang, result, photo)
        seals.keep_result(seal, shown)
        return redirect(shown, 303)
    seals.release(seal)
    if isinstance(result, NotRecorded):
        title = _("No pudimos guardar su reporte")
        text = _("No se guardó nada y no hay folio. Intente de nuevo en unos minutos.")
        return page("notice.html", 503, title=title, text=text)
    return _form(typed, problem=result, status=422, chose_photo=bool(photo.raw))


class _Photo:
    """The photo of this form, kept when the report turns out to be right, and what was wrong with it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.flaw: PhotoFlaw | None = None

    def keep(self) -> AttachmentRef | None:
        if not self.raw:
            return None
        kept = keep_photo(self.raw)
        if isinstance(kept, PhotoProblem):
            self.flaw = kept.flaw
            return None
        return kept


def _answer(lang: str, filed: ReportFiled, photo: _Photo) -> str:
    """The address of what the citizen sees next. Without a photo it holds a code to add one.

    The words are on this telephone's screen and history only: the node keeps their hash.
    """
    says = "si" if filed.has_photo else photo.flaw.value if photo.flaw else None
    code = None if filed.has_photo else ports().photos.codes.issue(filed.folio) or None
    return url_for("reports.filed", lang=lang, folio=filed.folio, codigo=code, foto=says)


@reports.get(f"/{LANG}/reporte/listo/<folio>")
def filed(lang: str, folio: str) -> ResponseReturnValue:
    """The provisional folio. The address holds it, so that the page can be kept or shown again.

    Nothing else of the address is shown: a code only when it is the open one of that folio.
    """
    _ = translator()
    shown = clean_folio(folio)
    if ports().ledger.folio(shown) is None:
        return redirect(url_for("services.folio", lang=lang, folio=shown), 303)
    words, says = read_code(request.args.get("codigo", "")), request.args.get("foto", "")
    code = spell_code(words) if words else ""
    flaw = next((f for f in PhotoFlaw if f.value == says), None)
    kept = _("Su reporte sí quedó guardado.")
    return page(
        "filed.html",
        folio=shown,
        code=code.replace("-", " ") if ports().photos.codes.belongs(code, shown) else "",
        short=short_address("/foto"),
        has_photo=says == "si",
        notice=f"{flaw_words(flaw, _)} {kept}" if flaw else "",
    )


def short_address(path: str) -> str:
    """What a person types: the portal's own name without `http://`."""
    return ports().site.public_url.partition("://")[2] + path


def _is_open() -> bool:
    """Without services there is nothing to choose, without a key nothing could be sealed."""
    catalogue = ports().catalogue
    return bool(catalogue.services() and catalogue.recipient_keys(RECIPIENT))


def _closed() -> ResponseReturnValue:
    _ = translator()
    title = _("No podemos recibir reportes aquí por ahora")
    return page(
        "notice.html", 503, title=title, text=_("No se guardó nada. Llame al Ayuntamiento.")
    )


def _draft(typed: dict[str, str]) -> ReportDraft:
    return ReportDraft(
        service_code=typed["service_code"],
        colonia=typed["colonia"],
        street=typed["street"],
        between_1=typed["between_1"],
        between_2=typed["between_2"],
        description=typed["description"],
        phone=typed["phone"],
        phone_consent=typed["phone_consent"] == "si",
    )


def _form(
    typed: dict[str, str],
    *,
    notice: str = "",
    problem: ReportProblem | None = None,
    status: int = 200,
    chose_photo: bool = False,
) -> ResponseReturnValue:
    catalogue = ports().catalogue
    if problem is not None:
        _ = translator()
        notice = _(problem.message_key)
        if chose_photo:
            notice += " " + _("Elija otra vez la foto, por favor.")
    return page(
        "report.html",
        status,
        typed=typed,
        notice=notice,
        wrong=problem.field if problem else "",
        seal=seal_for(PURPOSE),
        services=catalogue.services(),
        colonias=catalogue.colonias()[:MAX_SUGGESTED_COLONIAS],
    )
