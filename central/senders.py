"""Who sent this request: the node whose key signed it (RFC 9421), and no more often than it may."""

from __future__ import annotations

from flask import request

from central.context import central
from central.nodes import find_active, note_contact
from central.problems import Problem, ProblemType
from municipio.wire.httpsig import HttpSigProblem, verify_request
from municipio.wire.keys import PublicKey


def sender_of_request() -> tuple[str, PublicKey] | Problem:
    """The active node whose key signed this request (RFC 9421), or why nobody is believed."""
    found: dict[str, tuple[str, PublicKey]] = {}

    def find_key(key_id: str) -> PublicKey | None:
        known = find_active(central().store, central().city.inegi, key_id)
        if known is None:
            return None
        found[key_id] = known
        return known[1]

    body, headers = request.get_data(), dict(request.headers.items())
    signer = verify_request(request.method, request.path, headers, body, find_key)
    if isinstance(signer, HttpSigProblem):
        return Problem(ProblemType.UNKNOWN_NODE, signer.detail)
    if not central().node_rate.take(signer):
        return Problem(ProblemType.TOO_MANY, "wait, then ask again")
    note_contact(central().store, central().city.inegi, found[signer][0], central().now())
    return found[signer]


def sender_as(node: str) -> tuple[str, PublicKey] | Problem:
    """The sender, who must be this node."""
    sender = sender_of_request()
    if not isinstance(sender, Problem) and sender[0] != node:
        return Problem(ProblemType.WRONG_NODE, "the request is signed by another node")
    return sender
