"""A citizen's report from the phone, with or without the Internet; the same rules as the kiosk."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.form_seal import SealState
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
from captive_portal.views.services import clean_folio
from municipio.reports import ReportDraft, ReportProblem
from municipio.usecases.ports import NotRecorded
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
    if claimed is SealState.USED and (folio := seals.result_of(seal)):
        return redirect(url_for("reports.filed", lang=lang, folio=folio), 303)
    if claimed is not SealState.FRESH:
        note = _("La página esperó demasiado. Revise sus datos y envíe otra vez, por favor.")
        return _form(typed, notice=note, status=400)
    here = ports()
    if not _is_open():
        return _closed()
    result = file_report(
        _draft(typed),
        ledger=here.ledger,
        catalogue=here.catalogue,
        sealer=here.sealer,
        channel="portal",
        language=lang,
        today=here.clock.now().local_date(here.site.zone),
    )
    if isinstance(result, ReportFiled):
        seals.keep_result(seal, result.folio)
        return redirect(url_for("reports.filed", lang=lang, folio=result.folio), 303)
    seals.release(seal)
    if isinstance(result, NotRecorded):
        title = _("No pudimos guardar su reporte")
        text = _("No se guardó nada y no hay folio. Intente de nuevo en unos minutos.")
        return page("notice.html", 503, title=title, text=text)
    return _form(typed, problem=result, status=422)


@reports.get(f"/{LANG}/reporte/listo/<folio>")
def filed(lang: str, folio: str) -> ResponseReturnValue:
    """The provisional folio. The address holds it, so that the page can be kept or shown again."""
    shown = clean_folio(folio)
    if ports().ledger.folio(shown) is None:
        return redirect(url_for("services.folio", lang=lang, folio=shown), 303)
    return page("filed.html", folio=shown)


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
) -> ResponseReturnValue:
    catalogue = ports().catalogue
    if problem is not None:
        notice = translator()(problem.message_key)
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
