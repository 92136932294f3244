"""Answers for machines: OS probes, the Captive Portal API, the style sheet."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from captive_portal.capport import CONTENT_TYPE, capport_document
from captive_portal.counters import Count
from captive_portal.gate.visits import GateTrouble, Visit
from captive_portal.probes import Success, find_probe
from captive_portal.views import address, page, ports, state
from captive_portal.views.appeals import to_block_page
from municipio.usecases.ports import LinkState

machines = Blueprint("machines", __name__)
MIN_RETRY_S = 3
"""Nobody is sent out again in the last moments of a visit, when the kernel may be ahead of us."""


def answer_foreign_host() -> ResponseReturnValue | None:
    """Runs before every view: None lets a request under our own name through."""
    own = request.host.lower() in ports().site.hosts
    probe = find_probe(request.host, request.path, own_host=own)
    if own and probe is None:
        return None
    request.environ["plaza.close"] = True
    counters = ports().door.counters
    if probe is not None and request.method in ("GET", "HEAD"):
        visit = open_visit()
        counters.add(Count.PROBE_HELD if visit is None else Count.PROBE_PASSED)
        return to_portal() if visit is None else _succeed(probe.success)
    counters.add(Count.REDIRECTED)
    if request.method in ("GET", "HEAD"):
        return _blocked() or _try_again() or to_portal()
    return page("sign_in.html", 511, portal=ports().site.public_url)


def open_visit() -> Visit | None:
    """The visit of who asks, if it may really reach the Internet now.

    While the uplink is known to be down nobody is told to be online: a phone would send its
    applications into a dead link.
    """
    here = ports()
    if here.link.report().state is LinkState.OFFLINE:
        return None
    visit = here.gate.look(address())
    return None if isinstance(visit, GateTrouble) or not visit.is_open else visit


def _blocked() -> Response | None:
    """For who may pass: a blocked name resolves to this node, so that its page can say why."""
    return to_block_page(request.host) if open_visit() is not None else None


def _try_again() -> Response | None:
    """For who may pass already: a browser had a connection to that site open from before the tap, which
    the kernel goes on bringing here. It is closed, and the same address asked for on a new one.
    """
    visit = open_visit()
    if not ports().site.enforced or visit is None or visit.seconds_left < MIN_RETRY_S:
        return None
    return Response(status=307, headers={"Location": request.url, "Cache-Control": "no-store"})


def to_portal() -> Response:
    """302 to the portal by its own name, never to what the request called itself."""
    response = Response(status=302, headers={"Location": f"{ports().site.public_url}/"})
    response.headers["Cache-Control"] = "no-store"
    return response


def _succeed(success: Success) -> Response:
    response = Response(success.body, success.status, content_type=success.content_type)
    response.headers.extend(success.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


@machines.get("/captive-portal/api")
def capport() -> ResponseReturnValue:
    """RFC 8908. Captive for as long as this device cannot reach the Internet, whatever the reason."""
    here = ports()
    here.door.counters.add(Count.CAPPORT)
    visit = open_visit()
    base = here.site.secure_url or here.site.public_url
    document = capport_document(
        captive=visit is None,
        portal_url=f"{base}/",
        venue_url=base + url_for("services.hub", lang=here.site.languages[0]),
        can_extend=here.door.can_extend,
        seconds_left=visit.seconds_left if visit else 0,
        bytes_left=visit.bytes_left if visit else None,
    )
    return Response(
        json.dumps(document),
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "private, no-store"},
    )


@machines.get("/portal.css")
def style() -> ResponseReturnValue:
    """The style sheet; its address changes with its content."""
    response = Response(state().style_sheet, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=86400, immutable"
    return response


@machines.get("/favicon.ico")
def icon() -> ResponseReturnValue:
    return Response(status=204)
