"""The WSGI application: routes, limits, security headers, and errors that are never a traceback."""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from central.api import api
from central.context import Central, attach
from central.dashboard import dashboard
from central.indicators_pages import indicators
from central.open311_api import open311
from central.pages import error_page, pages
from central.problems import Problem, ProblemType
from central.pulls import pulls
from central.replies import problem_reply
from central.rights_pages import rights
from central.rollout_pages import rollout_pages
from central.site_pages import site_pages
from municipio.wire.batch import MAX_UNPACKED_BYTES

log = logging.getLogger("plaza.central.app")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_MACHINE_PATHS = ("/v1/", "/openapi.json", "/open311/")
_BY_STATUS = {
    404: ProblemType.NOT_FOUND,
    405: ProblemType.METHOD,
    413: ProblemType.TOO_LARGE,
}


def create_app(central: Central) -> Flask:
    """Wire the blueprints to one Central. Opens nothing by itself."""
    app = Flask("central", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = MAX_UNPACKED_BYTES
    app.json.sort_keys = True  # type: ignore[attr-defined]  # DefaultJSONProvider has it
    attach(app, central)
    app.register_blueprint(api)
    for staff_pages in (pages, dashboard, indicators, rights, rollout_pages, site_pages):
        app.register_blueprint(staff_pages)
    app.register_blueprint(pulls)
    app.register_blueprint(open311)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_busy)
    app.register_error_handler(TimeoutError, _database_busy)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "public, max-age=3600"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if not request.path.startswith(_MACHINE_PATHS):
        return error_page(status)
    fallback = ProblemType.BAD_REQUEST if status < 500 else ProblemType.INTERNAL
    kind = _BY_STATUS.get(status, fallback)
    reply = problem_reply(Problem(kind, kind.value[2]))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        reply.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return reply


def _database_busy(error: Exception) -> Response:
    log.error("database: %s", type(error).__name__)
    return _failed(ProblemType.BUSY)


def _unexpected(error: Exception) -> Response:
    log.error("request failed", exc_info=error)
    return _failed(ProblemType.INTERNAL)


def _failed(kind: ProblemType) -> Response:
    if request.path.startswith(_MACHINE_PATHS):
        return problem_reply(Problem(kind, kind.value[2]))
    return error_page(kind.status)
