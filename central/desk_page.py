"""The desk as a page on the official's own machine: a list of sealed matters, and one at a time open.

It listens on the loopback address only. The address that the terminal shows has a secret in it, so that
no other page in the same browser can ask; nothing is kept by the browser.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, abort, render_template, request

from central.desk import KINDS, Desk, DeskError, Opened
from central.words import day_in_words

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
LABELS = {
    "description": "Qué dice",
    "street": "Calle",
    "between": "Entre",
    "colonia": "Colonia",
    "phone": "Teléfono",
}


def create_desk_page(desk: Desk, now: Callable[[], datetime]) -> tuple[Flask, str]:
    """The application, and the secret first part of its paths."""
    app = Flask("central", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    secret = secrets.token_urlsafe(24)

    def believe(given: str) -> None:
        host = (request.host or "").rpartition(":")[0] or request.host
        if host not in ("127.0.0.1", "localhost", "[::1]"):
            abort(403)
        if not hmac.compare_digest(given.encode(), secret.encode()):
            abort(404)

    @app.get("/<given>/")
    def matters(given: str) -> str:
        believe(given)
        return _list(desk, given, "")

    @app.post("/<given>/abrir")
    def opened(given: str) -> tuple[str, int] | str:
        believe(given)
        (folio, _, of), why = (
            request.form.get("folio", "").partition(" "),
            request.form.get("why", ""),
        )
        try:
            found = desk.open(folio, why, now(), of)
        except DeskError as e:
            return _list(desk, given, str(e)), 400
        return render_template(
            "desk_open.html", given=given, folio=folio, why=why, found=found,
            kinds=KINDS, labels=LABELS, pictures=_pictures, day=day_in_words, office=desk.title,
        )  # fmt: skip

    @app.get("/<given>/bitacora")
    def log(given: str) -> str:
        believe(given)
        trouble, rows = "", ()
        try:
            rows = tuple(reversed(desk.openings()))
        except DeskError as e:
            trouble = str(e)
        return render_template(
            "desk_log.html", given=given, rows=rows, trouble=trouble, office=desk.title
        )

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app, secret


def _list(desk: Desk, given: str, trouble: str) -> str:
    return render_template(
        "desk_list.html", given=given, matters=desk.matters(), trouble=trouble, kinds=KINDS,
        day=day_in_words, office=desk.title,
    )  # fmt: skip


def _pictures(one: Opened) -> list[str]:
    """Photos as addresses that hold the photo itself; other files are only counted."""
    jpegs = [body for body in one.files if body.startswith(b"\xff\xd8\xff")]
    return [f"data:image/jpeg;base64,{base64.b64encode(body).decode()}" for body in jpegs]
