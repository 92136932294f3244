"""What every view shares: the ports of this application, the language of this request, one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app, g, make_response, render_template, request, url_for
from flask.wrappers import Response

from captive_portal.filter.lookup import Unreadable
from captive_portal.form_seal import FormSeal
from captive_portal.gate.protocol import clean_ip
from captive_portal.languages import preferred
from captive_portal.ports import LANGUAGES, Ports, Translate
from captive_portal.truth import Truth, tell
from municipio.stick_words import trip_in_words

LANG = "<any(es,en):lang>"
"""The path prefix of every page for people."""


@dataclass(frozen=True, slots=True)
class PortalState:
    """What `create_app` gives to the views."""

    ports: Ports
    seal: FormSeal
    style_sheet: bytes
    style_version: str
    policy: str


def state() -> PortalState:
    return cast(PortalState, current_app.extensions["plaza"])


def ports() -> Ports:
    return state().ports


def address() -> str:
    """Who asks: the TCP peer. Forwarding headers are whatever a visitor types and are never read."""
    return clean_ip(request.remote_addr or "") or "0.0.0.0"  # noqa: S104 - names nobody


def language() -> str:
    """The page's language: from the path, also of one that leads nowhere, else from the browser."""
    named = (request.view_args or {}).get("lang") or request.path[1:].partition("/")[0]
    spoken = ports().site.languages
    return named if named in LANGUAGES else preferred(request.accept_languages, spoken)


def translator() -> Translate:
    return ports().translations[language()]


def truth() -> Truth:
    """The link as this request sees it, read once."""
    if "truth" not in g:
        here = ports()
        g.truth = tell(
            here.link.report(),
            here.clock.now(),
            here.site.zone,
            translator(),
            today=here.service(),
            only_services=here.site.enforced and isinstance(here.filter.facts(), Unreadable),
        )
    return cast(Truth, g.truth)


def now_ms() -> int:
    return ports().clock.now().boot_ms


def local_time() -> datetime | None:
    """The place's own time, None when the clock cannot be believed."""
    here = ports()
    now = here.clock.now()
    return now.time.astimezone(here.site.zone) if now.is_trusted and now.time else None


def seal_for(purpose: str) -> str:
    return state().seal.make(purpose, address(), now_ms())


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page for people, in the language of the request."""
    here = state()
    lang = language()
    other = "en" if lang == "es" else "es"
    values.setdefault("twin", _twin(other))
    html = render_template(
        template,
        _=translator(),
        lang=lang,
        other=other,
        site=here.ports.site,
        truth=truth(),
        trip=here.ports.trip(),
        trip_in_words=trip_in_words,
        sheet=url_for("machines.style", v=here.style_version),
        **values,
    )
    response = make_response(html, status)
    if not (request.view_args or {}).get("lang"):
        response.vary.add("Accept-Language")
    return response


def _twin(other: str) -> str:
    """This page in the other language; a page that answers a form has the welcome page instead."""
    if request.method in ("GET", "HEAD") and request.endpoint and request.view_args:
        return url_for(request.endpoint, **{**request.view_args, "lang": other})
    return url_for("welcome.show", lang=other)
