"""A page that the filter does not open: which kind it is, since when, and asking that it be looked at again.

Rule of this boundary: the name comes in an address that anybody can write. It is only ever looked up
and shown as text; it is never a place to go, and it reaches the ledger as the listed name alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import cast

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from captive_portal.counters import Count
from captive_portal.filter.lookup import Answer, Blocked, Unreadable
from captive_portal.filter.names import NameProblem, parse_name
from captive_portal.filter.policy import Category
from captive_portal.form_seal import SealState
from captive_portal.ports import Translate
from captive_portal.tries import Tries
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
from municipio.clock import Clock
from municipio.folio_words import long_date
from municipio.usecases.appeals import AppealFiled, Reason, file_appeal
from municipio.usecases.ports import NotRecorded

appeals = Blueprint("appeals", __name__)
PURPOSE = "appeal"
MAX_NAME = 253
MAX_ASKED = 1000


class Desk:
    """What was already asked here, by listed name, and how often somebody may ask. In memory only."""

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, str] = OrderedDict()
        self.tries = Tries(lambda: clock.now().boot_ms, most_each=5, most_all=200, window_s=3600)

    def folio_of(self, name: str) -> str:
        with self._lock:
            return self._asked.get(name, "")

    def keep(self, name: str, folio: str) -> None:
        with self._lock:
            self._asked[name] = folio
            while len(self._asked) > MAX_ASKED:
                self._asked.popitem(last=False)


@appeals.record
def _open_desk(setup: BlueprintSetupState) -> None:
    setup.app.extensions["plaza.appeals"] = Desk(setup.app.extensions["plaza"].ports.clock)


def desk() -> Desk:
    return cast(Desk, current_app.extensions["plaza.appeals"])


def to_block_page(host: str) -> Response | None:
    """Where a request for a blocked name belongs: our own page about it. None when it is not blocked."""
    name = parse_name(host.partition(":")[0][:MAX_NAME])
    if isinstance(name, NameProblem) or not isinstance(_look_up(name), Blocked):
        return None
    path = url_for("appeals.show", lang=language(), nombre=name)
    response = Response(status=302, headers={"Location": ports().site.public_url + path})
    response.headers["Cache-Control"] = "no-store"
    return response


@appeals.get(f"/{LANG}/bloqueado")
def show(lang: str) -> ResponseReturnValue:
    return _page(request.args.get("nombre", ""))


@appeals.post(f"/{LANG}/bloqueado")
def ask(lang: str) -> ResponseReturnValue:
    """An appeal; one a name is enough, whoever asks."""
    _ = translator()
    typed = request.form.get("nombre", "")
    seals, seal = state().seal, request.form.get("seal", "")
    claimed = seals.claim(seal, PURPOSE, address(), now_ms())
    if claimed is SealState.USED and (folio := seals.result_of(seal)):
        return redirect(url_for("appeals.asked", lang=lang, folio=folio), 303)
    if claimed is not SealState.FRESH:
        return _page(typed, _("La página esperó demasiado. Toque otra vez, por favor."), 400)
    name = _name(typed)
    found = _look_up(name) if name else None
    if not isinstance(found, Blocked):
        return _page(typed)
    result = _file(found, lang)
    if isinstance(result, str):
        seals.keep_result(seal, result)
        return redirect(url_for("appeals.asked", lang=lang, folio=result), 303)
    seals.release(seal)
    return result


@appeals.get(f"/{LANG}/bloqueado/listo/<folio>")
def asked(lang: str, folio: str) -> ResponseReturnValue:
    stub = ports().ledger.folio(folio[:40])
    if stub is None or stub.kind != "apelacion":
        return redirect(url_for("services.folio", lang=lang), 303)
    return page("appealed.html", folio=stub.folio)


def _file(found: Blocked, lang: str) -> str | ResponseReturnValue:
    """The folio of the appeal for this name, new or of before; or the page that says why there is none."""
    _ = translator()
    if before := desk().folio_of(found.name):
        return before
    if not desk().tries.may(address()):
        return _page(found.name, _("Demasiadas peticiones. Intente más tarde, por favor."), 429)
    desk().tries.count(address())
    here = ports()
    result = file_appeal(
        name=found.name,
        category=found.category.value if found.category else "",
        listed_since=found.since,
        reason=_reason(request.form.get("motivo", "")),
        language=lang,
        ledger=here.ledger,
        today=here.clock.now().local_date(here.site.zone),
    )
    match result:
        case AppealFiled(folio):
            desk().keep(found.name, folio)
            here.door.counters.add(Count.APPEALED)
            return folio
        case NotRecorded():
            title = _("No pudimos guardar su petición")
            return page("notice.html", 503, title=title, text=_("Intente de nuevo más tarde."))


def _reason(typed: str) -> Reason:
    return next((r for r in Reason if r.value == typed), Reason.OTHER)


def _name(typed: str) -> str:
    name = parse_name(typed[:MAX_NAME])
    return "" if isinstance(name, NameProblem) else name


def _look_up(name: str) -> Answer:
    return ports().filter.look_up(name, local_time())


def _page(typed: str, notice: str = "", status: int = 200) -> ResponseReturnValue:
    _ = translator()
    name = _name(typed)
    found = _look_up(name) if name else None
    if isinstance(found, Unreadable):
        return page(
            "notice.html",
            503,
            title=_("El filtro no se puede leer"),
            text=_("Por eso solo abren los servicios del Ayuntamiento. Ya se avisó al técnico."),
        )
    if not isinstance(found, Blocked):
        title = _("Esa página no está bloqueada aquí")
        text = _("Si no abre, el problema es otro: inténtelo de nuevo en un momento.")
        return page("notice.html", 404 if not name else 200, title=title, text=text)
    kind, why = category_words(found.category, _)
    return page(
        "blocked.html",
        status,
        name=name,
        kind=kind,
        why=why,
        since=long_date(found.since, _) if found.since else "",
        before=desk().folio_of(found.name),
        notice=notice,
        seal=seal_for(PURPOSE),
        reasons=reason_words(_),
        twin=url_for("appeals.show", lang="en" if language() == "es" else "es", nombre=name),
    )


def category_words(category: Category | None, _: Translate) -> tuple[str, str]:
    """The kind of page, and why a city does not open it."""
    children = _("Es una red para todas las edades.")
    return {
        None: (_("Bloqueada en este lugar"), _("Así lo decidió quien cuida este lugar.")),
        Category.ADULT: (_("Páginas para adultos"), children),
        Category.VIOLENCE: (_("Violencia"), children),
        Category.DRUGS: (_("Drogas"), children),
        Category.GAMBLING: (_("Apuestas"), children),
        Category.MALWARE: (_("Programas dañinos"), _("Puede dañar su teléfono.")),
        Category.PHISHING: (_("Fraude"), _("Puede robarle contraseñas o dinero.")),
        Category.DOH_VPN: (
            _("Servicios que esquivan el filtro"),
            _("El filtro protege a niñas y niños que usan esta red."),
        ),
    }[category]


def reason_words(_: Translate) -> tuple[tuple[str, str], ...]:
    return (
        (Reason.HEALTH.value, _("Es de salud")),
        (Reason.SCHOOL.value, _("La necesito para la escuela")),
        (Reason.WORK.value, _("La necesito para trabajar")),
        (Reason.GOVERNMENT.value, _("Es del gobierno")),
        (Reason.OTHER.value, _("Otra razón")),
    )
