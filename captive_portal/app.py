"""The web application: no cookies, no scripts, no privileges; every answer is small and hardened.

Rule of this boundary: a page is shown only under the portal's own names. Any other name is somebody's
intercepted request: a probe gets its answer, everything else a redirect to the portal.
"""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from captive_portal.form_seal import FormSeal
from captive_portal.hosts import with_clean_host
from captive_portal.ports import Ports
from captive_portal.theme import style_sheet, style_version
from captive_portal.uploads import MAX_PHOTO_BODY
from captive_portal.views import PortalState, state
from captive_portal.views.appeals import appeals
from captive_portal.views.errors import show_http_error
from captive_portal.views.installation import installation
from captive_portal.views.legal import legal
from captive_portal.views.machines import answer_foreign_host, machines
from captive_portal.views.photos import photos
from captive_portal.views.reports import reports
from captive_portal.views.resume import resume
from captive_portal.views.services import services
from captive_portal.views.status import status
from captive_portal.views.tramites import tramites
from captive_portal.views.welcome import welcome

SMALL_BODY = 4 * 1024
REPORT_BODY = 16 * 1024
FIELDS_BODY = 128 * 1024
"""Of a form with a photo, what is not the photo; the parser reads in pieces of 64 KiB."""


class MemoryRequest(Request):
    """A photo never touches a disk before it is sealed: not even as a temporary file."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def unbroken(text: str) -> str:
    """A text whose amounts never part from their `$` at the end of a line."""
    return text.replace("$ ", "$\N{NO-BREAK SPACE}")


def create_app(ports: Ports, seal: FormSeal | None = None) -> Flask:
    """Build the application around real or in-memory ports. It keeps no global state."""
    app = Flask("captive_portal", static_folder=None, template_folder="templates")
    app.request_class = MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = REPORT_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = FIELDS_BODY
    app.config["MAX_FORM_PARTS"] = 32
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["unbroken"] = unbroken
    sheet = style_sheet(ports.site.primary)
    app.extensions["plaza"] = PortalState(
        ports, seal or FormSeal(), sheet, style_version(sheet), _policy(ports.site.frame_ancestor)
    )
    for room in (
        machines,
        welcome,
        resume,
        services,
        tramites,
        reports,
        photos,
        appeals,
        status,
        installation,
        legal,
    ):
        app.register_blueprint(room)
    app.before_request(answer_foreign_host)
    app.before_request(_limit_body)
    app.after_request(_harden)
    app.wsgi_app = with_clean_host(app.wsgi_app)  # type: ignore[method-assign,assignment]  # Flask's way
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(Exception, show_http_error)
    return app


def _limit_body() -> None:
    if request.endpoint not in ("reports.file", "photos.add"):
        request.max_content_length = SMALL_BODY
    elif request.mimetype == "multipart/form-data":
        request.max_content_length = MAX_PHOTO_BODY


def _policy(frame_ancestor: str) -> str:
    return (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {frame_ancestor or chr(39) + 'none' + chr(39)}"
    )


def _harden(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = state().policy
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")
    return response
