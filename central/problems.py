"""Errors as the API says them: RFC 9457 problem details, with a closed list of types.

`title` and `detail` are English because machines and technicians read them; what a citizen reads is
written by the kiosk. A detail never quotes what the client sent and never carries a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:plaza:problem:"


class ProblemType(Enum):
    """(name, HTTP status, title) of everything that can go wrong."""

    BAD_BATCH = ("bad-batch", 400, "The body is not a batch")
    BAD_REQUEST = ("bad-request", 400, "The request cannot be understood")
    BAD_CLAVE = ("bad-clave", 400, "Not a clave catastral")
    BAD_FOLIO = ("bad-folio", 400, "Not a folio")
    UNKNOWN_NODE = ("unknown-node", 401, "The request is not signed by a known node")
    NO_TOKEN = ("no-token", 401, "The request brings no valid token")
    WRONG_NODE = ("wrong-node", 403, "The batch belongs to another node")
    BAD_CODE = ("bad-code", 403, "The enrolment code is not believed")
    QUARANTINED = ("quarantined", 403, "The node waits for the city's staff")
    NOT_FOUND = ("not-found", 404, "Not found")
    METHOD = ("method-not-allowed", 405, "The method is not allowed here")
    GAP = ("gap", 409, "Facts are missing before this batch")
    TAMPERING = ("tampering", 409, "The city holds other facts at these positions")
    CODE_USED = ("code-used", 409, "The enrolment code was used")
    CODE_EXPIRED = ("code-expired", 410, "The enrolment code has expired")
    TOO_LARGE = ("too-large", 413, "The batch is too large")
    MEDIA = ("unsupported-media", 415, "The encoding of the body is not supported")
    TOO_MANY = ("too-many-requests", 429, "The node asks too often")
    INTERNAL = ("internal", 500, "The city could not answer; try again later")
    BUSY = ("busy", 503, "The city is busy; try again later")

    @property
    def status(self) -> int:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is not a success. `extra` are members such as `wanted_seq`."""

    type: ProblemType
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return self.type.status


def encode_problem(problem: Problem) -> bytes:
    """The RFC 9457 document, UTF-8."""
    name, status, title = problem.type.value
    document = {
        "type": _TYPE_PREFIX + name,
        "title": title,
        "status": status,
        "detail": problem.detail,
        **problem.extra,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
