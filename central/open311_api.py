"""Open311 GeoReport v2 over HTTP: open to everybody for reading, with a key for filing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, request

from central.context import central
from central.open311 import (
    FORMATS,
    Document,
    Refusal,
    definition_document,
    discovery_document,
    encode,
    parse_question,
    request_document,
    service_document,
)
from central.open311_books import find_request, find_requests, find_service, list_services
from central.open311_door import RECIPIENT, Door, file_request, same_id
from central.rights_audit import token_name
from central.schema_fleet import open311_keys

open311 = Blueprint("open311", __name__, url_prefix="/open311")

CHANGED = "2026-01-20T00:00:00-06:00"
"""When what this API says last changed its shape."""
NOTICE = "Pregunte por él con esta clave; el número de la ciudad llega en unos segundos."
MOST_TEXT = {"description": 600, "colonia": 80, "calle": 120, "entre": 120}
_PERSONAL = ("first_name", "last_name", "email", "phone", "media_url", "address_string")
_PLACES = (("address_string",), ("address_id",), ("lat", "long"), ("attribute[calle]",))


@open311.before_request
def _one_at_a_time() -> Response | None:
    if central().open_rate.take(request.remote_addr):
        return None
    reply = _refuse(_format(), Refusal(429, "wait, then ask again"))
    reply.headers["Retry-After"] = "5"
    return reply


@open311.after_request
def _for_every_page(reply: Response) -> Response:
    """Any page of anybody may read what is public."""
    reply.headers["Access-Control-Allow-Origin"] = "*"
    reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return reply


@open311.get("/discovery.<format>")
def discovery(format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    base = request.url_root.rstrip("/") + "/open311/v2"
    document = discovery_document(base, central().city.help_phone, CHANGED)
    return _reply(format, ("discovery",), document)


@open311.get("/v2/services.<format>")
def services(format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    known = list_services(central().store, central().city.inegi)
    takes = central().door is not None
    rows = [service_document(service, takes=takes) for service in known]
    return _reply(format, ("services", "service"), rows)


@open311.get("/v2/services/<code>.<format>")
def service(code: str, format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    known = find_service(central().store, central().city.inegi, code)
    if known is None or central().door is None:
        return _refuse(format, Refusal(404, "no service with this code has a definition"))
    return _reply(format, ("service_definition",), definition_document(known.code))


@open311.get("/v2/requests.<format>")
def requests(format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    asked = parse_question(request.args, central().now())
    if isinstance(asked, Refusal):
        return _refuse(format, asked)
    c = central()
    more = request.args.get("extensions") == "true"
    found = find_requests(c.store, c.city, asked)
    rows = [request_document(one, c.city.zone, more=more) for one in found]
    return _reply(format, ("service_requests", "request"), rows)


@open311.get("/v2/requests/<number>.<format>")
def one_request(number: str, format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    c = central()
    found = find_request(c.store, c.city, number)
    if found is None:
        return _refuse(format, Refusal(404, "no request with this service_request_id"))
    more = request.args.get("extensions") == "true"
    rows = [request_document(found, c.city.zone, more=more)]
    return _reply(format, ("service_requests", "request"), rows)


@open311.get("/v2/tokens/<token>.<format>")
def token(token: str, format: str) -> Response:
    """The folio of a node's paper, or of a request that was filed here, is the token."""
    refused = _wrong(format)
    if refused is not None:
        return refused
    found = find_request(central().store, central().city, token)
    if found is None:
        return _refuse(format, Refusal(404, "the city does not hold this token yet"))
    rows = [{"service_request_id": found.number, "token": found.folio}]
    return _reply(format, ("service_requests", "request"), rows)


@open311.post("/v2/requests.<format>")
def file(format: str) -> Response:
    refused = _wrong(format)
    if refused is not None:
        return refused
    c, said = central(), request.form
    recipients = c.recipients.get(RECIPIENT, ())
    if c.door is None or not recipients:
        return _refuse(format, Refusal(403, "this city takes no requests this way"))
    who = token_name(c.store, c.city.inegi, said.get("api_key", ""), open311_keys)
    if not who:
        return _refuse(format, Refusal(403, "api_key was not given or is not valid"))
    fault = _fault(said)
    if fault is not None:
        return _refuse(format, fault)
    folio = _file(c.door, recipients, who, said)
    c.projector.poke()
    rows = [{"token": folio, "service_notice": NOTICE, "account_id": None}]
    return _reply(format, ("service_requests", "request"), rows, 201)


def _file(door: Door, recipients: Sequence[str], who: str, said: Mapping[str, str]) -> str:
    c = central()
    return file_request(
        c.store,
        c.city,
        door,
        recipients,
        _sealed(said),
        service_code=said["service_code"],
        id=same_id(who, request.headers.get("Idempotency-Key", "")[:200]),
        now=c.now(),
    )


def _sealed(said: Mapping[str, str]) -> dict[str, object]:
    """What a person wrote, in the words that the desk knows."""
    street = said.get("attribute[calle]") or said.get("address_string", "")
    between = said.get("attribute[entre]", "")
    told: dict[str, object] = {
        "street": street,
        "between": [between] if between else [],
        "description": said.get("description", ""),
        "phone": said.get("phone", ""),
        "colonia": said.get("attribute[colonia]", ""),
    }
    rest = ("lat", "long", "address_id", *(n for n in _PERSONAL if n not in ("phone",)))
    return told | {name: said[name] for name in rest if said.get(name)}


def _fault(said: Mapping[str, str]) -> Refusal | None:
    code = said.get("service_code", "")
    if not code:
        return Refusal(400, "service_code was not given")
    if find_service(central().store, central().city.inegi, code) is None:
        return Refusal(404, "service_code was not found")
    if not any(all(said.get(name) for name in place) for place in _PLACES):
        return Refusal(400, "say where: attribute[calle], address_string, or lat and long")
    if not said.get("attribute[colonia]"):
        return Refusal(400, "attribute[colonia] was not given")
    for name, value in said.items():
        plain = name.removeprefix("attribute[").removesuffix("]")
        if len(value) > MOST_TEXT.get(plain, 300) or "\x00" in value:
            return Refusal(400, "a value is too long")
    return None


def _wrong(format: str) -> Response | None:
    """Another format or another municipality."""
    if format not in FORMATS:
        return _refuse("xml", Refusal(404, "the formats are xml and json"))
    asked = request.values.get("jurisdiction_id", "")
    if asked not in ("", central().city.inegi):
        return _refuse(format, Refusal(404, "jurisdiction_id was not found"))
    return None


def _format() -> str:
    return "json" if request.path.endswith(".json") else "xml"


def _refuse(format: str, refusal: Refusal) -> Response:
    rows = [{"code": str(refusal.status), "description": refusal.why}]
    return _reply(format, ("errors", "error"), rows, refusal.status)


def _reply(format: str, names: tuple[str, ...], document: Document, status: int = 200) -> Response:
    body = encode(format, names, document)
    return Response(body, status=status, content_type=FORMATS[format])
