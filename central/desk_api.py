"""The desks' door: an office fetches what is sealed to it, and the city cannot read it."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from central.attachments import read_attachment
from central.context import central
from central.desk_access import chains, facts_of, is_of_office, seal_token
from central.desk_log import LogFault, decode_log
from central.desk_openings import LogRefused, known_log, take_log
from central.problems import Problem, ProblemType
from central.replies import json_reply, problem_reply, signed_reply
from municipio.wire.attachment import is_sha256

desk = Blueprint("desk", __name__)

LARGEST = 2**53 - 1
_DESK = re.compile(r"[0-9a-f]{16}")


@desk.get("/v1/desk/<office>")
def desk_token(office: str) -> Response:
    """A token for whoever holds the office's age key; anybody may ask, nobody else can read it."""
    if not central().stranger_rate.take(request.remote_addr):
        return problem_reply(Problem(ProblemType.TOO_MANY, "wait, then ask again"))
    recipients = central().recipients.get(office, ())
    if not recipients:
        return problem_reply(Problem(ProblemType.NOT_FOUND, "no such office"))
    sealed = seal_token(central().key, office, recipients, central().now())
    return json_reply({"office": office, "token": sealed})


@desk.get("/v1/desk/<office>/chains")
def desk_chains(office: str) -> Response:
    refused = _refused(office)
    if refused is not None:
        return problem_reply(refused)
    found = chains(central().store, central().city.inegi)
    rows = [{"node": c.node, "epoch": c.epoch, "through": c.through} for c in found]
    return json_reply({"chains": rows})


@desk.get("/v1/desk/<office>/facts/<node>/<int:epoch>/<int:after>")
def desk_facts(office: str, node: str, epoch: int, after: int) -> Response:
    refused = _refused(office)
    if refused is not None:
        return problem_reply(refused)
    if max(epoch, after) > LARGEST or not node.isalnum() or not node.isascii():
        return problem_reply(Problem(ProblemType.NOT_FOUND, "no such chain"))
    stretch = facts_of(central().store, central().city.inegi, office, node, epoch, after)
    return json_reply({"through": stretch.through, "facts": list(stretch.facts)})


@desk.get("/v1/desk/<office>/attachments/<sha256>")
def desk_attachment(office: str, sha256: str) -> Response:
    """The sealed bytes of a file; its hash proves it."""
    refused = _refused(office)
    if refused is not None:
        return problem_reply(refused)
    known = is_sha256(sha256)
    body = read_attachment(central().store, central().city.inegi, sha256) if known else None
    if body is None:
        return problem_reply(Problem(ProblemType.NOT_FOUND, "the city has no such file yet"))
    return signed_reply(body, "application/octet-stream")


@desk.get("/v1/desk/<office>/openings/<desk_id>")
def desk_log_known(office: str, desk_id: str) -> Response:
    """How far the city knows the log of one desk of the office."""
    refused = _refused(office)
    if refused is not None:
        return problem_reply(refused)
    if not _DESK.fullmatch(desk_id):
        return problem_reply(Problem(ProblemType.NOT_FOUND, "no desk has such an id"))
    known = known_log(central().store, central().city.inegi, office, desk_id)
    return json_reply({"rows": known.rows, "head": known.head})


@desk.post("/v1/desk/<office>/openings")
def desk_openings(office: str) -> Response:
    """Who opened what at a desk, for the audit trail."""
    refused = _refused(office)
    if refused is not None:
        return problem_reply(refused)
    log = decode_log(request.get_data())
    if isinstance(log, LogFault):
        return problem_reply(Problem(ProblemType.BAD_REQUEST, log.detail))
    if log.office != office:
        return problem_reply(Problem(ProblemType.BAD_REQUEST, "a log of another office"))
    taken = take_log(central().store, central().city.inegi, log, central().now())
    if isinstance(taken, LogRefused):
        return problem_reply(Problem(ProblemType.TAMPERING, taken.detail, {"rows": taken.rows}))
    return json_reply({"rows": taken.rows, "head": taken.head, "fresh": taken.fresh})


def _refused(office: str) -> Problem | None:
    if not central().recipients.get(office):
        return Problem(ProblemType.NOT_FOUND, "no such office")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_of_office(
        central().key, token.strip(), office, central().now()
    ):
        return Problem(ProblemType.NO_TOKEN, "ask for a token and open it with the office's key")
    return None
