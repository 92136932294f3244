"""What works here with or without the Internet: the hub, emergency numbers, a folio's state."""

from __future__ import annotations

import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from captive_portal.views import LANG, page, ports, translator

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
    stub = ports().ledger.folio(asked) if asked else None
    kinds = {
        "predial": _("Pago de predial"),
        "reporte": _("Reporte ciudadano"),
        "pase": _("Pase de caja"),
        "portal": _("Solicitud hecha en el portal"),
        "apelacion": _("Revisión de una página bloqueada"),
    }
    states = {
        "recibido": _("Recibido en este kiosco"),
        "pendiente": _("Pendiente de atención"),
        "desarrollo": _("En desarrollo"),
        "atendido": _("Atendido"),
        "no_procede": _("No procede"),
        "en_cola": _("Guardado aquí; falta enviarlo al Ayuntamiento"),
        "enviado": _("Enviado al Ayuntamiento"),
    }
    return page(
        "folio.html",
        asked=asked,
        stub=stub,
        kind=kinds.get(stub.kind, stub.kind) if stub else "",
        state=states.get(stub.state, stub.state.replace("_", " ")) if stub else "",
    )


def clean_folio(typed: str) -> str:
    """Upper case without spaces, as folios are printed; cut to a length no folio has."""
    return re.sub(r"[^A-Z0-9-]", "", typed.upper())[:FOLIO_MAX]
