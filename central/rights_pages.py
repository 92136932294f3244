"""The staff's pages of one folio and of the audit trail. Each look at either is a row of the trail."""

from __future__ import annotations

from flask import Blueprint, Response, request

from central.context import central
from central.dashboard import page, staff_only
from central.dashboard_door import staff_name
from central.dashboard_words import AUDITED
from central.moments_read import moment_with_error
from central.rights import Held, find_held
from central.rights_audit import newest, note
from central.rights_facts import attachments_of, document, fact_id, is_husk
from central.words import FOLIO_KINDS
from municipio.fact_names import fact_name

rights = Blueprint("rights", __name__)


@rights.get("/expediente")
@staff_only
def folio_page() -> Response:
    c = central()
    asked = request.args.get("folio", "").strip()
    found = find_held(c.store, c.city.inegi, asked) if asked else None
    if not isinstance(found, Held):
        return page(
            "rights_folio.html", 404 if asked else 200, asked=asked, held=None, missing=found
        )
    folio = found.folio.text
    with c.store.begin() as connection:
        note(connection, c.city.inegi, staff_name(), "folio.viewed", c.now(), folio=folio)
    names = {fact_id(row): m.id for m in found.matters for row in m.rows}
    rows = [
        (
            row,
            names.get(fact_id(row), ""),
            document(bytes(row.raw)),
            is_husk(bytes(row.raw)),
            moment_with_error(found.times[row.node, row.epoch, row.lane, row.seq], c.city.zone),
            len(attachments_of(bytes(row.raw))),
        )
        for row in found.facts
    ]
    kind = FOLIO_KINDS.get(found.state.kind, "Asunto") if found.state else "Asunto"
    seen = newest(c.store, c.city.inegi, folio)
    return page(
        "rights_folio.html", asked=asked, held=found, rows=rows, kind=kind, seen=seen,
        audited=AUDITED, fact_name=fact_name,
    )  # fmt: skip


@rights.get("/accesos")
@staff_only
def audit_page() -> Response:
    c = central()
    rows = newest(c.store, c.city.inegi)
    with c.store.begin() as connection:
        note(connection, c.city.inegi, staff_name(), "audit.viewed", c.now())
    return page("rights_audit.html", rows=rows, audited=AUDITED)
