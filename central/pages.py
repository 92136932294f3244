"""Pages for people: is this receipt genuine, where is my folio, and the staff's view of the nodes.

Plain HTML in Spanish, no JavaScript, no cookies. The staff token comes with the request, as
`Authorization: Bearer` or `?token=`, and is never logged.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from central.context import central
from central.dashboard_door import shown_token, staff_name
from central.folios import find_folio
from central.problems import Problem
from central.receipts import Verdict, check_receipt
from central.rights_audit import note
from central.staff import overview
from central.words import (
    FOLIO_KINDS,
    NODE_STATES,
    PAYMENT_STATES,
    TROUBLES,
    day_in_words,
    day_of_moment,
    event_in_words,
    explain_state,
    moment_in_words,
    state_said,
)
from municipio.fact_names import fact_name
from municipio.money import format_mxn, importe_con_letra
from municipio.usecases.folios import DOUBLED

pages = Blueprint("pages", __name__)

_ERRORS = {
    401: ("Falta la clave de acceso", "Esta página es del personal. Ábrala con su clave."),
    404: ("No encontramos esta página", "Revise la dirección. Puede escanear el código otra vez."),
    405: ("Esto no se puede hacer aquí", "Regrese a la página anterior."),
    413: ("El envío es demasiado grande", "Intente con menos información."),
}
_FAILED = ("No pudimos responder", "No es culpa suya. Intente de nuevo en unos minutos.")


@pages.app_context_processor
def _words() -> dict[str, object]:
    return {
        "city": central().city,
        "money": format_mxn,
        "words": importe_con_letra,
        "day": day_in_words,
        "troubles": TROUBLES,
        "payment_states": PAYMENT_STATES,
        "node_states": NODE_STATES,
        "event_when": lambda text: event_in_words(text, central().city.zone),
        "state_said": state_said,
        "civil_day": lambda text: day_of_moment(text, central().city.zone),
        "moment": lambda text: moment_in_words(text, central().city.zone),
    }


@pages.get("/r/<code>")
def receipt(code: str) -> Response:
    answer = check_receipt(central(), code)
    status = 404 if answer.verdict is Verdict.INVALID else 200
    return _page("receipt.html", status, answer=answer)


@pages.get("/f/<folio>")
def folio(folio: str) -> Response:
    found = find_folio(central(), folio)
    if isinstance(found, Problem):
        return _page("folio_missing.html", found.status, mistyped=found.status == 400)
    if found.kind == DOUBLED:
        explained = explain_state(found)
        return _page("folio_doubled.html", 200, found=found, explained=explained)
    kind = FOLIO_KINDS.get(found.kind, "Asunto")
    return _page("folio.html", 200, found=found, kind=kind, explained=explain_state(found))


@pages.get("/")
def staff() -> Response:
    who = staff_name()
    if not who:
        return error_page(401)
    asked = {"node": request.args.get("node", ""), "lane": request.args.get("lane", "")}
    seen = overview(central(), asked["node"], asked["lane"])
    looked = " ".join(word for word in asked.values() if word)
    with central().store.begin() as connection:
        inegi, now = central().city.inegi, central().now()
        note(connection, inegi, who, "facts.viewed", now, detail=looked)
    token = shown_token()
    return _page("staff.html", 200, seen=seen, asked=asked, token=token, fact_name=fact_name)


def error_page(status: int) -> Response:
    title, text = _ERRORS.get(status, _FAILED)
    return _page("error.html", status, title=title, text=text)


def _page(template: str, status: int, **values: object) -> Response:
    body = render_template(template, **values)
    return Response(body, status=status, content_type="text/html; charset=utf-8")
