"""What works here with or without the Internet: the hub, emergency numbers, a folio's state."""

from __future__ import annotations

import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from captive_portal.views import LANG, page, ports, translator
from municipio.folio_words import example_folio, folio_flaw, folio_kind, folio_state, iso_date
from municipio.identifiers import Folio, parse_folio

services = Blueprint("services", __name__)
FOLIO_MAX = 40


@services.get(f"/{LANG}/servicios")
def hub(lang: str) -> ResponseReturnValue:
    return page("services.html")


@services.get(f"/{LANG}/emergencias")
def emergency(lang: str) -> ResponseReturnValue:
    numbers = [
        (name, number, re.sub(r"[^0-9+*#]", "", number))
        for name, number in ports().catalogue.emergency_numbers()
    ]
    return page("emergency.html", numbers=numbers)


@services.get(f"/{LANG}/folio")
def folio(lang: str) -> ResponseReturnValue:
    """The state of a folio that this node knows; nothing personal is kept or shown."""
    _ = translator()
    asked = clean_folio(request.args.get("folio", ""))
    read = parse_folio(asked)
    stub = ports().ledger.folio(read.text if isinstance(read, Folio) else asked) if asked else None
    return page(
        "folio.html",
        asked=asked,
        stub=stub,
        example=example_folio(ports().site.node_code),
        flaw="" if isinstance(read, Folio) else folio_flaw(read.trouble, _),
        kind=folio_kind(stub.kind, _) if stub else "",
        state=folio_state(stub.state, _) if stub else "",
        opened=iso_date(stub.opened_on, _) if stub else "",
    )


def clean_folio(typed: str) -> str:
    """Upper case without spaces, as folios are printed; cut to a length no folio has."""
    return re.sub(r"[^A-Z0-9-]", "", typed.upper())[:FOLIO_MAX]
