"""What nodes pull: the repository's files, to nodes alone. TUF signs them, so these replies are not."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory

from central.context import central
from central.problems import Problem, ProblemType
from central.replies import problem_reply, signed_reply
from central.senders import sender_of_request

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
