"""The staff's page of the updates on their way, with the button that stops one."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from central.context import central
from central.dashboard import page, staff_only
from central.dashboard_door import shown_token, staff_name_of_form
from central.nodes import NodeError
from central.pages import error_page
from central.rights_audit import note
from central.rollout import Outcome, RolloutState
from central.rollout_books import nodes_of, standings, stop
from central.rollout_words import in_spanish, staff_reason

rollout_pages = Blueprint("rollouts", __name__)

OUTCOMES = {
    Outcome.ASKED.value: "en camino",
    Outcome.UPDATED.value: "la tiene y funciona",
    Outcome.RETURNED.value: "volvió a la anterior",
}
CAUSES = {
    "install_failed": "no se pudo instalar",
    "not_started": "no arrancó",
    "unhealthy": "no pasó su prueba de salud",
    "by_hand": "la quitó un técnico",
}


@rollout_pages.get("/actualizaciones")
@staff_only
def updates_page() -> Response:
    c = central()
    found = standings(c.store, c.city.inegi, c.now())
    wanted = request.args.get("version", "")
    shown = next((s for s in found if s.plan.version == wanted), found[0] if found else None)
    nodes = nodes_of(c.store, c.city.inegi, shown.plan.version) if shown else []
    return page(
        "dashboard_updates.html",
        found=found,
        shown=shown,
        nodes=nodes,
        outcomes=OUTCOMES,
        causes=CAUSES,
        going=RolloutState.GOING,
        reason_in_words=in_spanish,
    )


@rollout_pages.post("/actualizaciones/<version>/detener")
def stop_one(version: str) -> Response:
    c, who = central(), staff_name_of_form()
    if not who:
        return error_page(401)
    try:
        stop(c.store, c.city.inegi, version, staff_reason(who), c.now())
    except NodeError:
        return error_page(404)
    with c.store.begin() as connection:
        note(connection, c.city.inegi, who, "rollout.stopped", c.now(), detail=version)
    where = url_for(".updates_page", token=shown_token(), version=version)
    return Response(status=303, headers={"Location": where})
