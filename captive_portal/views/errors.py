"""Trouble as a small page in the visitor's language: never a traceback, never an echo of the request."""

from __future__ import annotations

import logging

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from captive_portal.counters import Count
from captive_portal.views import page, ports, translator

_log = logging.getLogger("plaza.captive_portal")


def show_http_error(error: Exception) -> ResponseReturnValue:
    """Werkzeug's errors by status; anything else is our fault and is logged without the request."""
    _ = translator()
    status = error.code if isinstance(error, HTTPException) and error.code else 500
    ports().door.counters.add(Count.OUR_FAULT if status == 500 else Count.BAD_REQUEST)
    if status == 500:
        _log.error("unexpected %s", type(error).__name__, exc_info=error)
    if 300 <= status < 400 and isinstance(error, HTTPException):
        return error.get_response()
    words = {
        404: (_("Esta página no existe"), _("Regrese al inicio y elija de nuevo.")),
        405: (_("Esta página no existe"), _("Regrese al inicio y elija de nuevo.")),
        413: (
            _("El texto es demasiado largo"),
            _("No se guardó nada. Regrese y escriba un texto más corto."),
        ),
        500: (
            _("Algo falló de nuestro lado"),
            _("No se guardó nada. Intente de nuevo en un minuto."),
        ),
    }
    title, text = words.get(
        status, (_("No entendimos la solicitud"), _("Regrese al inicio y elija de nuevo."))
    )
    return page("notice.html", status, title=title, text=text)
