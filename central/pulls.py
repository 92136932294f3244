"""What nodes pull: the repository's files, to nodes alone. TUF signs them, so these replies are not.

Whether a node may have a new version of the software now is asked here too; that answer is signed."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory

from central.context import central
from central.problems import Problem, ProblemType
from central.replies import json_reply, problem_reply, signed_reply
from central.rollout import LAST_RING
from central.rollout_books import ask
from central.senders import sender_of_request
from municipio.wire.software import version_key

pulls = Blueprint("pulls", __name__)


@pulls.get("/v1/tuf-root")
def first_root() -> Response:
    """The first root, signed by the city's key: what a node that knows the city starts its trust with."""
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    repo = central().repository
    path = None if repo is None else repo / "metadata" / "1.root.json"
    if path is None or not path.is_file():
        return problem_reply(Problem(ProblemType.NOT_FOUND, "this city publishes nothing here"))
    return signed_reply(path.read_bytes(), "application/json")


@pulls.get("/v1/tuf/<kind>/<path:path>")
def pull(kind: str, path: str) -> Response:
    """A file of the repository, with ETag and ranges; every name but the timestamp's is for ever."""
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    repo = central().repository
    if repo is None or kind not in ("metadata", "targets"):
        return problem_reply(Problem(ProblemType.NOT_FOUND, "this city publishes nothing here"))
    media = "application/json" if kind == "metadata" else "application/octet-stream"
    folder = (repo / kind).absolute()
    reply = send_from_directory(folder, path, mimetype=media, conditional=True, max_age=0)
    reply.direct_passthrough = False
    return reply


@pulls.get("/v1/updates/<version>/rings/<int:ring>")
def may_update(version: str, ring: int) -> Response:
    """Signed like every answer: nobody on the way can say go, and silence says wait."""
    sender = sender_of_request()
    if isinstance(sender, Problem):
        return problem_reply(sender)
    try:
        version_key(version)
    except ValueError:
        return problem_reply(Problem(ProblemType.BAD_REQUEST, "not a version"))
    if not 1 <= ring <= LAST_RING:
        return problem_reply(Problem(ProblemType.BAD_REQUEST, "not a ring"))
    c = central()
    answer = ask(c.store, c.city.inegi, sender[0], version, ring, c.now())
    document = {"version": version, "ring": ring, "go": answer.go, "reason": answer.reason}
    return json_reply(document)
