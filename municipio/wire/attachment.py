"""Attachments on the wire: sealed files sent in parts, taken up again where the last attempt ended.

`GET /v1/nodes/{node}/attachments/{sha256}` says how much the city has; `PUT .../{size}/{first}` adds the
bytes from `first` on. Everything that says what the bytes are is in the path, which the request's
signature covers. Every answer is a `Progress`, signed like all JSON of the city.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024
MAX_PART_BYTES = 256 * 1024
PART_TYPE = "application/octet-stream"
_KIND = "attachment"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Progress:
    """The city has the first `received` bytes; `complete` when it has all and their hash is right."""

    node: str
    sha256: str
    received: int
    complete: bool

    def document(self) -> dict[str, Any]:
        return {
            "kind": _KIND,
            "node": self.node,
            "sha256": self.sha256,
            "received": self.received,
            "complete": self.complete,
        }


def read_progress(document: Mapping[str, Any], node: str, sha256: str) -> Progress | None:
    """What a signed answer says about this attachment, None when it is about something else."""
    received, complete = document.get("received"), document.get("complete")
    named = (document.get("kind"), document.get("node"), document.get("sha256"))
    if named != (_KIND, node, sha256) or type(received) is not int or type(complete) is not bool:
        return None
    return Progress(node, sha256, received, complete) if received >= 0 else None


def is_sha256(text: str) -> bool:
    """64 lower-case hex digits."""
    return _SHA256.fullmatch(text) is not None


def attachment_path(node: str, sha256: str) -> str:
    return f"/v1/nodes/{node}/attachments/{sha256}"


def part_path(node: str, sha256: str, size: int, first: int) -> str:
    return f"{attachment_path(node, sha256)}/{size}/{first}"
