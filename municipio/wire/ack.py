"""The city's acknowledgement, signed in its body: the only thing that ever clears a node's queue.

Body: one line of RFC 8785 JSON, then one line with the base64 Ed25519 signature over the first line
without its line break. A login page, a proxy or another city answering 200 is an `AckProblem`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import rfc8785

from municipio.facts import ZERO_HASH, Lane
from municipio.wire import keys

ACK_TYPE = "application/vnd.plaza.ack"
MAX_ACK_BYTES = 256 * 1024
MAX_PROBLEMS = 500
MAX_TEXT = 300
MAX_CONTACT_S = 24 * 3600
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class FactProblem:
    """A fact that the city holds in quarantine: `code` for machines, `detail` for its people."""

    seq: int
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """The city holds every fact of (node, epoch, lane) up to `through`, whose hash is `chain`.

    `through` 0 with 64 zeros means none. `city_time` is RFC 3339 UTC with milliseconds, or empty;
    `next_contact_s` seconds until the city wants to hear again, 0 when it has no wish.
    """

    node: str
    epoch: int
    lane: Lane
    through: int
    chain: str
    problems: tuple[FactProblem, ...] = ()
    city_time: str = ""
    next_contact_s: int = 0


@dataclass(frozen=True, slots=True)
class AckProblem:
    """An answer that is not the city's acknowledgement; `detail` says why."""

    detail: str


class _Problem(msgspec.Struct, forbid_unknown_fields=True):
    seq: int
    code: str
    detail: str


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["ack"]
    v: int
    node: str
    epoch: int
    lane: Lane
    through: int
    chain: str
    problems: list[_Problem]
    city_time: str
    next_contact_s: int


def encode_ack(ack: Ack, sign: keys.Sign) -> bytes:
    """The signed body of a 200 answer. Long problem texts are cut to the limit."""
    line = _line(ack)
    return line + b"\n" + keys.signature_text(sign(line)).encode() + b"\n"


def decode_ack(raw: bytes, public: keys.PublicKey) -> Ack | AckProblem:
    """Parse a hostile answer; an Ack comes back only if the owner of `public` signed it."""
    if len(raw) > MAX_ACK_BYTES:
        return AckProblem("answer is too long to be an acknowledgement")
    lines = raw.split(b"\n")
    if len(lines) != 3 or lines[2] != b"":
        return AckProblem("answer is not an acknowledgement")
    signature = keys.parse_base64(lines[1], keys.SIGNATURE_BYTES)
    if signature is None or not keys.verify(public, signature, lines[0]):
        return AckProblem("answer is not signed by the city's key")
    try:
        wire = msgspec.json.decode(lines[0], type=_Wire)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        return AckProblem(f"not an acknowledgement: {e}")
    problem = _problem(wire)
    if problem:
        return AckProblem(problem)
    problems = tuple(FactProblem(p.seq, p.code, p.detail) for p in wire.problems)
    return Ack(
        wire.node,
        wire.epoch,
        wire.lane,
        wire.through,
        wire.chain,
        problems,
        wire.city_time,
        wire.next_contact_s,
    )


def _line(ack: Ack) -> bytes:
    document: dict[str, Any] = {
        "kind": "ack",
        "v": 1,
        "node": ack.node,
        "epoch": ack.epoch,
        "lane": ack.lane.value,
        "through": ack.through,
        "chain": ack.chain,
        "problems": [
            {"seq": p.seq, "code": p.code[:MAX_TEXT], "detail": p.detail[:MAX_TEXT]}
            for p in ack.problems[:MAX_PROBLEMS]
        ],
        "city_time": ack.city_time,
        "next_contact_s": ack.next_contact_s,
    }
    return rfc8785.dumps(document)


def _problem(wire: _Wire) -> str:
    if wire.v != 1:
        return f"acknowledgement version {wire.v} is not 1"
    if wire.epoch < 1 or wire.through < 0 or not _HASH.fullmatch(wire.chain):
        return "epoch, through or chain out of range"
    if (wire.through == 0) != (wire.chain == ZERO_HASH):
        return "chain is 64 zeros exactly when nothing is held"
    if wire.city_time and not _TIME.fullmatch(wire.city_time):
        return "city_time is not RFC 3339 UTC with milliseconds"
    if not 0 <= wire.next_contact_s <= MAX_CONTACT_S:
        return "next_contact_s is out of range"
    if len(wire.problems) > MAX_PROBLEMS:
        return "too many problems"
    if any(p.seq < 1 or len(p.code) > MAX_TEXT or len(p.detail) > MAX_TEXT for p in wire.problems):
        return "a problem is out of range"
    return ""
