"""Trámites by plain words and their cards, from the catalogue on this node."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from captive_portal.views import LANG, page, ports, translator
from municipio.tramites import copies_label, cost_label
from municipio.usecases.tramites import requirements
from municipio.usecases.tramites import search as find

tramites = Blueprint("tramites", __name__)
QUERY_MAX = 80
HITS = 12


@tramites.get(f"/{LANG}/tramites")
def search(lang: str) -> ResponseReturnValue:
    """Hits for `q`, a category's list for `tema`, or the most consulted and the categories."""
    catalogue = ports().catalogue
    query = request.args.get("q", "").strip()[:QUERY_MAX]
    theme = request.args.get("tema", "")[:QUERY_MAX]
    categories = catalogue.categories()
    chosen = next((c for c in categories if c.id == theme), None)
    found = find(catalogue, query, chosen.id if chosen else "", HITS)
    return page("tramites.html", query=query, chosen=chosen, hits=found.hits, categories=categories)


@tramites.get(f"/{LANG}/tramites/<tramite_id>")
def card(lang: str, tramite_id: str) -> ResponseReturnValue:
    tramite = ports().catalogue.tramite(tramite_id)
    if tramite is None:
        abort(404)
    ports().door.consulted(tramite.id)
    cost = cost_label(tramite.cost, translator())
    bring = [(r, copies_label(r, translator())) for r in requirements(tramite)]
    return page("tramite.html", t=tramite, cost=cost, bring=bring)
