"""Facts on a USB stick: the names of its files, and the two small notes that the city signs for it.

`PLAZA/out/<inegi>-<node>/` goes to the city: batches, the same bytes as over HTTP, and sealed files.
`PLAZA/in/<inegi>-<node>/` comes back: acknowledgements, the list of sealed files that the city has, and
fresh content. `PLAZA/stick.plaza` makes a stick one of the city's. Every file proves itself, by the
node's or the city's signature or by its hash, so a stick may be lost, copied, edited or used twice.

A note is one line of RFC 8785 JSON and one line with the base64 Ed25519 signature over the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar

import msgspec
import rfc8785

from municipio.facts import LANES, Lane
from municipio.wire import keys
from municipio.wire.attachment import is_sha256

ROOT = "PLAZA"
OUT = "out"
IN = "in"
MARKER = "stick.plaza"
HELD = "attachments.held"
SENT = "attachments.sent"
CONTENT = "content"
REPOSITORY = "repo"
"""A mirror of the city's repository (TUF): it may lie beside `out` and `in`."""
_T = TypeVar("_T")
MAX_NOTE_BYTES = 512 * 1024
MAX_HELD = 5000
_BATCH = re.compile(r"(pay|rep|acc|vit)-([1-9]\d{0,8})-([1-9]\d{0,14})\.batch")
_ACK = re.compile(r"(pay|rep|acc|vit)-([1-9]\d{0,8})\.ack")
_FOLDER = re.compile(r"(\d{5})-([A-Z0-9]{4,12})")


@dataclass(frozen=True, slots=True)
class Stick:
    """A stick that the city made: nodes of this city read and write it without being asked."""

    inegi: str
    serial: str
    made_on: date


@dataclass(frozen=True, slots=True)
class NoteProblem:
    """Bytes that are not a note of this city; `detail` says why."""

    detail: str


class _StickWire(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["stick"]
    v: Literal[1]
    inegi: str
    serial: str
    made_on: date


class _HeldWire(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["held", "sent"]
    v: Literal[1]
    inegi: str
    node: str
    sha256: list[str]


def node_folder(inegi: str, node: str) -> str:
    return f"{inegi}-{node}"


def read_node_folder(name: str) -> tuple[str, str] | None:
    """(inegi, node) of a folder's name."""
    found = _FOLDER.fullmatch(name)
    return (found[1], found[2]) if found else None


def batch_name(lane: Lane, epoch: int, first: int) -> str:
    return f"{lane.value}-{epoch}-{first}.batch"


def batch_order(name: str) -> tuple[int, int, int] | None:
    """Most urgent lane first, then as the chain runs; None for any other file."""
    found = _BATCH.fullmatch(name)
    if found is None:
        return None
    return LANES.index(Lane(found[1])), int(found[2]), int(found[3])


def ack_name(lane: Lane, epoch: int) -> str:
    return f"{lane.value}-{epoch}.ack"


def is_ack_name(name: str) -> bool:
    return _ACK.fullmatch(name) is not None


def encode_stick(stick: Stick, sign: keys.Sign) -> bytes:
    """The marker file. ValueError for a serial that is not 1 to 40 letters, digits and dashes."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", stick.serial):
        raise ValueError("a stick's serial is 1 to 40 letters, digits and dashes")
    made = stick.made_on.isoformat()
    document = {"kind": "stick", "v": 1, "inegi": stick.inegi, "serial": stick.serial}
    return _signed(document | {"made_on": made}, sign)


def decode_stick(raw: bytes, public: keys.PublicKey, inegi: str) -> Stick | NoteProblem:
    """A stick of this city, or why it is none."""
    wire = _read(raw, public, _StickWire)
    if isinstance(wire, NoteProblem):
        return wire
    if wire.inegi != inegi:
        return NoteProblem(f"a stick of municipality {wire.inegi}, not of {inegi}")
    return Stick(wire.inegi, wire.serial, wire.made_on)


def encode_held(inegi: str, node: str, sha256: Sequence[str], sign: keys.Sign) -> bytes:
    """The city: which sealed files of a node it has, at most MAX_HELD of them."""
    return _signed(_listed("held", inegi, node, sha256), sign)


def encode_sent(inegi: str, node: str, sha256: Sequence[str], sign: keys.Sign) -> bytes:
    """The node: which sealed files beside this note are its own, at most MAX_HELD of them."""
    return _signed(_listed("sent", inegi, node, sha256), sign)


def _listed(kind: str, inegi: str, node: str, sha256: Sequence[str]) -> dict[str, Any]:
    listed = sorted(sha256)[:MAX_HELD]
    return {"kind": kind, "v": 1, "inegi": inegi, "node": node, "sha256": listed}


def decode_held(
    raw: bytes, public: keys.PublicKey, inegi: str, node: str
) -> tuple[str, ...] | NoteProblem:
    """The hashes, if the city says so of this node."""
    return _decode_list("held", raw, public, inegi, node)


def decode_sent(
    raw: bytes, public: keys.PublicKey, inegi: str, node: str
) -> tuple[str, ...] | NoteProblem:
    """The hashes, if the owner of `public` says so of this node's files."""
    return _decode_list("sent", raw, public, inegi, node)


def _decode_list(
    kind: str, raw: bytes, public: keys.PublicKey, inegi: str, node: str
) -> tuple[str, ...] | NoteProblem:
    wire = _read(raw, public, _HeldWire)
    if isinstance(wire, NoteProblem):
        return wire
    if (wire.kind, wire.inegi, wire.node) != (kind, inegi, node):
        return NoteProblem(f"another note: {wire.kind} of node {wire.node} of {wire.inegi}")
    if not all(map(is_sha256, wire.sha256)):
        return NoteProblem("not a list of SHA-256")
    return tuple(wire.sha256)


def _signed(document: dict[str, Any], sign: keys.Sign) -> bytes:
    line = rfc8785.dumps(document)
    return line + b"\n" + keys.signature_text(sign(line)).encode() + b"\n"


def _read(raw: bytes, public: keys.PublicKey, kind: type[_T]) -> _T | NoteProblem:
    lines = raw.split(b"\n")
    if len(raw) > MAX_NOTE_BYTES or len(lines) != 3 or lines[2]:
        return NoteProblem("not a note of two lines")
    signature = keys.parse_base64(lines[1], keys.SIGNATURE_BYTES)
    if signature is None or not keys.verify(public, signature, lines[0]):
        return NoteProblem("not signed by the key that is trusted here")
    try:
        return msgspec.json.decode(lines[0], type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        return NoteProblem(f"not a note: {e}")
