"""The API that nodes use. Every route is in `openapi.json`; a test holds the two together."""

from __future__ import annotations

from importlib import resources

from flask import Blueprint, Response, request

from central import attachments, folios, predial
from central.acknowledging import acknowledge
from central.context import central
from central.desk_api import desk
from central.enrolment import enrol
from central.ingest import take_batch
from central.nodes import NodeState, state_of
from central.problems import Problem, ProblemType
from central.replies import json_reply, problem_reply, signed_reply
from central.senders import sender_as, sender_of_request
from municipio.facts import format_time
from municipio.wire.ack import ACK_TYPE
from municipio.wire.batch import (
    MAX_PACKED_BYTES,
    MAX_UNPACKED_BYTES,
    Batch,
    BatchProblem,
    decode_batch,
    verify_batch,
)
from municipio.wire.enrolment import ENROLMENT_TYPE, EnrolmentProblem, decode_request
from municipio.wire.keys import PublicKey

api = Blueprint("api", __name__)
api.register_blueprint(desk)


@api.get("/openapi.json")
def openapi() -> Response:
    body = resources.files("central").joinpath("openapi.json").read_bytes()
    return signed_reply(body, "application/json")


@api.get("/v1/health")
def health() -> Response:
    """Up, and the database answers. A signed request is a node's heartbeat; anyone may ask."""
    if "Signature" in request.headers:
        sender_of_request()
    with central().store.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    now = format_time(central().now())
    return json_reply({"status": "ok", "inegi": central().city.inegi, "time": now})


@api.post("/v1/nodes/<node>/batches")
def batches(node: str) -> Response:
    if request.headers.get("Content-Encoding", "identity").lower() not in ("gzip", "identity"):
        return problem_reply(Problem(ProblemType.MEDIA, "send the batch plain or as gzip"))
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    if sender[0] != node:
        return problem_reply(_wrong_node("the request is signed by another node"))
    batch = _verified_batch(request.get_data(), node, sender[1])
    if isinstance(batch, Problem):
        return problem_reply(batch)
    taken = take_batch(central().store, central().city.inegi, batch, central().now())
    if isinstance(taken, Problem):
        return problem_reply(taken)
    central().projector.poke()
    return signed_reply(
        acknowledge(
            batch.header, taken, central().key.sign, central().now(), central().next_contact_s
        ),
        ACK_TYPE,
    )


@api.get("/v1/nodes/<node>/attachments/<sha256>")
def attachment(node: str, sha256: str) -> Response:
    sender = sender_as(node)
    if isinstance(sender, Problem):
        return problem_reply(sender)
    found = attachments.progress(central().store, central().city.inegi, node, sha256)
    return problem_reply(found) if isinstance(found, Problem) else json_reply(found.document())


@api.put("/v1/nodes/<node>/attachments/<sha256>/<int:size>/<int:first>")
def attachment_part(node: str, sha256: str, size: int, first: int) -> Response:
    sender = sender_as(node)
    if isinstance(sender, Problem):
        return problem_reply(sender)
    body, at = request.get_data(), format_time(central().now())
    store, inegi = central().store, central().city.inegi
    found = attachments.take_part(store, inegi, node, sha256, size, first, body, at)
    return problem_reply(found) if isinstance(found, Problem) else json_reply(found.document())


@api.post("/v1/enrolments")
def enrolments() -> Response:
    """The one route for a node that the city does not know yet: it proves a one-time code."""
    if not central().stranger_rate.take(request.remote_addr):
        return problem_reply(Problem(ProblemType.TOO_MANY, "wait, then ask again"))
    asked = decode_request(request.get_data())
    if isinstance(asked, EnrolmentProblem):
        return problem_reply(Problem(ProblemType.BAD_REQUEST, asked.detail))
    city = central().city
    answer = enrol(central().store, city.inegi, asked, central().key.public_pem, central().now())
    if isinstance(answer, Problem):
        return problem_reply(answer)
    return signed_reply(answer, ENROLMENT_TYPE)


@api.get("/v1/predial/<clave>")
def predial_debt(clave: str) -> Response:
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    with central().store.begin() as connection:
        state = state_of(connection, central().city.inegi, sender[0])
    if state is NodeState.QUARANTINED:
        # One of two cards with one key may be a thief's: neither takes money on the city's word.
        return problem_reply(Problem(ProblemType.QUARANTINED, "the city's staff must look first"))
    answer = predial.debt(central(), clave)
    return problem_reply(answer) if isinstance(answer, Problem) else json_reply(answer)


@api.get("/v1/folios/<folio>")
def folio_state(folio: str) -> Response:
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    found = folios.find_folio(central(), folio)
    return problem_reply(found) if isinstance(found, Problem) else json_reply(found.document())


def _verified_batch(body: bytes, node: str, public: PublicKey) -> Batch | Problem:
    """Parse the body and check that this node, and not only its HTTP client, signed it."""
    packed = body[:2] == b"\x1f\x8b"
    if len(body) > (MAX_PACKED_BYTES if packed else MAX_UNPACKED_BYTES):
        return Problem(ProblemType.TOO_LARGE, "send fewer facts", {"limit": MAX_PACKED_BYTES})
    batch = decode_batch(body)
    if isinstance(batch, BatchProblem):
        return Problem(ProblemType.BAD_BATCH, batch.detail)
    if batch.header.node != node:
        return _wrong_node("the batch was made by another node")
    if not verify_batch(batch, public):
        return Problem(ProblemType.UNKNOWN_NODE, "the batch is not signed by this node's key")
    return batch


def _wrong_node(detail: str) -> Problem:
    return Problem(ProblemType.WRONG_NODE, detail)
