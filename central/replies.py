"""Replies to machines: JSON and problems, always signed over their bytes by the city's key.

A node believes nothing without `Plaza-Signature`, so a login page that answers 200 clears nothing
and says nothing about a debt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from central.context import central
from central.problems import MEDIA_TYPE, Problem, ProblemType, encode_problem
from municipio.wire.envelope import SIGNATURE_HEADER, sign_body


def json_reply(document: Mapping[str, Any]) -> Response:
    body = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    return signed_reply(body, "application/json")


def problem_reply(problem: Problem) -> Response:
    reply = signed_reply(encode_problem(problem), MEDIA_TYPE, problem.status)
    if problem.type is ProblemType.UNKNOWN_NODE:
        reply.headers["WWW-Authenticate"] = 'Signature realm="plaza"'
    if problem.type is ProblemType.NO_TOKEN:
        reply.headers["WWW-Authenticate"] = 'Bearer realm="plaza"'
    if problem.type in (ProblemType.BUSY, ProblemType.INTERNAL, ProblemType.TOO_MANY):
        reply.headers["Retry-After"] = "5"
    return reply


def signed_reply(body: bytes, media_type: str, status: int = 200) -> Response:
    reply = Response(body, status=status, content_type=media_type)
    reply.headers[SIGNATURE_HEADER] = sign_body(body, central().key.sign)
    return reply
