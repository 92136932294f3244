"""The staff's pages of the fleet: list and map, one node, and the decisions about a node.

Plain HTML in Spanish, no JavaScript, no cookies, nothing from the Internet. A page reads a fixed number
of rows for the whole fleet and the last words of the nodes that it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from central.charts import Map, Spot, draw_map
from central.context import central
from central.dashboard_door import shown_token, staff_name, staff_name_of_form
from central.dashboard_words import (
    CLOCKS,
    DEVICES,
    LANES,
    NO_WORD,
    SHORT_CLOCKS,
    STANDINGS,
    age_in_words,
    delay_in_words,
    energy_in_words,
    filter_in_words,
    part_in_words,
    printer_in_words,
    short_day,
    since_in_words,
    standing_in_words,
    trouble_in_words,
    version_of,
)
from central.doubled import doubled_folios
from central.fact_words import fact_in_words
from central.fleet import (
    CONTENT,
    Machine,
    Part,
    Standing,
    age_s,
    count_by_standing,
    detail,
    fleet,
    parts_of,
)
from central.moments_read import moment_with_error
from central.nodes import NodeError, NodeState, set_state_in
from central.pages import error_page
from central.rights_audit import note

dashboard = Blueprint("dashboard", __name__)

PER_PAGE = 100
DECISIONS = {
    "approve": (Standing.WAITING, NodeState.ACTIVE),
    "release": (Standing.QUARANTINED, NodeState.ACTIVE),
}
"""What a button may do, from which state; to revoke takes the command."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list, in words."""

    machine: Machine
    standing: str
    troubles: tuple[str, ...]
    contact: str
    delay: str
    clock: str
    clock_long: str
    energy: str
    printer: str
    filter: str
    version: str


def staff_only(view: Callable[..., Response]) -> Callable[..., Response]:
    """Strangers get the page that says so."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        return view(**values) if staff_name() else error_page(401)

    return guarded


@dashboard.app_context_processor
def _shared() -> dict[str, Any]:
    """Links of the staff's pages carry the token on."""

    def link(endpoint: str, **values: Any) -> str:
        if shown_token():
            values["token"] = shown_token()
        return url_for(endpoint, **values)

    return {"staff_link": link, "standings": STANDINGS, "lane_words": LANES}


def page(template: str, status: int = 200, **values: object) -> Response:
    body = render_template(template, token=shown_token(), **values)
    return Response(body, status=status, content_type="text/html; charset=utf-8")


@dashboard.get("/flota")
@staff_only
def nodes_page() -> Response:
    c = central()
    machines = fleet(c.store, c.city.inegi, c.now())
    wanted = request.args.get("estado", "")
    words = request.args.get("q", "").strip().casefold()
    found = [
        m
        for m in machines
        if (not wanted or m.standing == wanted)
        and (not words or words in m.node.casefold() or words in m.site.casefold())
    ]
    pages = max(1, -(-len(found) // PER_PAGE))
    asked = request.args.get("pagina", "")
    number = min(pages, max(1, int(asked) if asked.isascii() and asked.isdigit() else 1))
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    parts = parts_of(c.store, c.city.inegi, [m.node for m in shown])
    return page(
        "dashboard_fleet.html",
        lines=[_line(m, parts.get(m.node, {})) for m in shown],
        counts=count_by_standing(machines),
        total=len(machines),
        found=len(found),
        asked={"estado": wanted, "q": request.args.get("q", "")},
        number=number,
        pages=pages,
        map=_map(found),
        unplaced=sum(m.place is None for m in found),
    )


@dashboard.get("/flota/<node>")
@staff_only
def node_page(node: str) -> Response:
    c = central()
    found = detail(c.store, c.city.inegi, node, c.now())
    if found is None:
        return error_page(404)
    with c.store.begin() as connection:
        doubled = doubled_folios(connection, c.city.inegi, node)
    zone = c.city.zone
    devices = [
        (DEVICES.get(name[7:], name[7:]), part_in_words(part), since_in_words(part, zone), part)
        for name, part in sorted(found.parts.items())
        if name.startswith("device:")
    ]
    return page(
        "dashboard_node.html",
        line=_line(found.machine, found.parts),
        found=found,
        devices=devices,
        content=short_day(found.parts[CONTENT].state) if CONTENT in found.parts else "",
        history=[(moment_with_error(t, zone), fact_in_words(raw)) for raw, t in found.history],
        decision=_decision(found.machine),
        said=request.args.get("hecho", "") in DECISIONS,
        doubled=doubled,
    )


@dashboard.post("/flota/<node>/<decision>")
def decide(node: str, decision: str) -> Response:
    c = central()
    who = staff_name_of_form()
    if not who:
        return error_page(401)
    if decision not in DECISIONS:
        return error_page(404)
    before, state = DECISIONS[decision]
    now = c.now()
    found = detail(c.store, c.city.inegi, node, now)
    if found is None:
        return error_page(404)
    if found.machine.standing is before:
        try:
            with c.store.begin() as connection:
                set_state_in(connection, c.city.inegi, node, state)
                note(connection, c.city.inegi, who, f"node.{decision}", now, detail=node)
        except NodeError:
            return error_page(404)
        c.projector.poke()
    where = url_for(".node_page", node=node, token=shown_token(), hecho=decision)
    return Response(status=303, headers={"Location": where})


def _decision(machine: Machine) -> str:
    return next((name for name, (at, _) in DECISIONS.items() if at is machine.standing), "")


def _line(machine: Machine, parts: dict[str, Part]) -> Line:
    c = central()
    clock = parts.get("clock")
    seconds = age_s(machine.contact_at, c.now()) if machine.contact_at else None
    contact = "nunca" if seconds is None else f"hace {age_in_words(seconds)}"
    return Line(
        machine=machine,
        standing=standing_in_words(machine, c.city.zone),
        troubles=tuple(trouble_in_words(name, parts.get(name)) for name in machine.troubles),
        contact="ahora" if seconds is not None and seconds < 60 else contact,
        delay=delay_in_words(parts),
        clock=SHORT_CLOCKS.get(clock.state, clock.state) if clock else NO_WORD,
        clock_long=CLOCKS.get(clock.state, clock.state) if clock else NO_WORD,
        energy=energy_in_words(parts.get("energy")),
        printer=printer_in_words(parts, c.now()),
        filter=filter_in_words(parts, c.today()),
        version=version_of(parts),
    )


def _map(machines: list[Machine]) -> Map | None:
    # What wants attention is drawn last, over the others.
    spots = [
        Spot(m.node, *m.place, m.standing.value, f"{m.node}, {m.site}: {STANDINGS[m.standing]}")
        for m in reversed(machines)
        if m.place is not None
    ]
    return draw_map(spots)
