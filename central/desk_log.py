"""The log of a desk's openings on its way to the city, signed by the desk: written and read. Pure.

header    {"desk": key id, "first": number of the first row, "kind": "plaza-openings",
           "office": office, "public": base64 of the desk's key, "v": 1}
rows      as they are in the desk's own log, each with the hash of the row before it
signature Ed25519 over everything before it, base64
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from municipio.facts import parse_time
from municipio.identifiers import FolioProblem, parse_folio
from municipio.wire import keys

KIND = "plaza-openings"
LOG_TYPE = "application/vnd.plaza.openings"
MAX_BYTES = 1024 * 1024
MAX_ROWS = 4000
ZERO = "0" * 64
_ROW = {"at", "who", "folio", "why", "prev"}
_MAY_HAVE = {"of"}


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening: who, which folio and why; `hash` is that of its row, which the next one names.

    `of` tells which matter, where a folio has two.
    """

    at: str
    who: str
    folio: str
    why: str
    prev: str
    hash: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class DeskLog:
    """A stretch of one desk's log, signed by that desk. `first` counts rows from 1."""

    office: str
    desk: str
    public: str
    first: int
    rows: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class LogFault:
    """Bytes that are no log of a desk; `detail` says which rule they break."""

    detail: str


def encode_log(
    office: str, public: keys.PublicKey, first: int, rows: Sequence[bytes], sign: keys.Sign
) -> bytes:
    """A stretch of a log for the city. The caller keeps to MAX_ROWS and MAX_BYTES."""
    raw = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    about = {"kind": KIND, "v": 1, "office": office, "desk": keys.key_id(public), "public": raw}
    header = json.dumps(about | {"first": first}, sort_keys=True).encode()
    signed = b"".join(line + b"\n" for line in (header, *rows))
    return signed + keys.signature_text(sign(signed)).encode() + b"\n"


def decode_log(raw: bytes) -> DeskLog | LogFault:
    """Parse hostile bytes; a log comes back only if the key that it names signed it."""
    if len(raw) > MAX_BYTES:
        return LogFault(f"over {MAX_BYTES} bytes")
    body, _, last = raw.removesuffix(b"\n").rpartition(b"\n")
    lines = body.split(b"\n")
    header = _object(lines[0])
    public = keys.parse_base64(str(header.get("public", "")), 32)
    signature = keys.parse_base64(last, keys.SIGNATURE_BYTES)
    if public is None or signature is None or header.get("kind") != KIND or header.get("v") != 1:
        return LogFault("not a log of a desk")
    key = Ed25519PublicKey.from_public_bytes(public)
    if not keys.verify(key, signature, body + b"\n"):
        return LogFault("the log is not signed by its desk")
    first, office = header.get("first"), header.get("office")
    if type(first) is not int or not 1 <= first < 2**53 or not isinstance(office, str):
        return LogFault("the header is not complete")
    rows = _rows(lines[1:], first)
    if isinstance(rows, LogFault):
        return rows
    return DeskLog(office[:40], keys.key_id(key), str(header["public"]), first, rows)


def _rows(lines: Sequence[bytes], first: int) -> tuple[Opening, ...] | LogFault:
    if len(lines) > MAX_ROWS:
        return LogFault(f"more than {MAX_ROWS} rows")
    found: list[Opening] = []
    for line in lines:
        row = _opening(line)
        if row is None:
            return LogFault(f"row {first + len(found)} is not an opening")
        if (found and row.prev != found[-1].hash) or (
            not found and (first == 1) != (row.prev == ZERO)
        ):
            return LogFault(f"row {first + len(found)} does not follow the row before it")
        found.append(row)
    return tuple(found)


def _opening(line: bytes) -> Opening | None:
    row = _object(line)
    texts = [row.get(name, "") for name in ("at", "who", "folio", "why", "prev", "of")]
    if set(row) - _MAY_HAVE != _ROW or not all(isinstance(t, str) and len(t) <= 400 for t in texts):
        return None
    at, who, folio, why, prev, of = (str(text) for text in texts)
    if isinstance(parse_folio(folio), FolioProblem):
        return None
    try:
        parse_time(at)
    except ValueError:
        return None
    return Opening(at, who, folio, why, prev, hashlib.sha256(line).hexdigest(), of)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
