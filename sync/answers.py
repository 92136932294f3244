"""What an HTTP answer to a batch or a heartbeat means. Pure; every answer is hostile until judged.

Nothing unsigned changes the queue. An unsigned 413 only makes batches smaller and an unsigned error
only makes the node wait, so a proxy can slow a node down but never make it forget or repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from municipio.facts import Lane
from municipio.wire.ack import Ack, AckProblem, decode_ack
from municipio.wire.attachment import Progress, read_progress
from municipio.wire.envelope import SIGNATURE_HEADER, verify_body
from municipio.wire.keys import PublicKey

_TAMPERING = "tampering"
_GAP = "gap"


class Trouble(StrEnum):
    """Why the queue does not move, as status and link.json say it."""

    OFFLINE = "offline"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad_answer"
    UNKNOWN_NODE = "unknown_node"
    WRONG_NODE = "wrong_node"
    CITY_ERROR = "city_error"
    REFUSED = "refused"
    GAP = "gap"
    TAMPERING = "tampering"
    CHAIN = "chain"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """No delivery: try again later."""

    trouble: Trouble
    detail: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The city's signed acknowledgement of this chain; the ledger still compares the hash."""

    ack: Ack


@dataclass(frozen=True, slots=True)
class Wanted:
    """The city misses facts before this batch, or holds more than the node knew: send from `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class OtherFuture:
    """The city holds other facts at these numbers: a copy of this node's card has spoken."""

    detail: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Send fewer facts at once."""


Outcome = Delivered | Wanted | OtherFuture | TooLarge | Refused


def judge_batch_reply(reply: Reply, node: str, lane: Lane, epoch: int, city: PublicKey) -> Outcome:
    """What the answer to a batch of (node, lane, epoch) means."""
    if reply.status == 200:
        return _judge_ack(reply.body, node, lane, epoch, city)
    if reply.status == 413:
        return TooLarge()
    if reply.status == 409:
        return _judge_conflict(reply, city)
    return judge_error(reply, city)


def judge_error(reply: Reply, city: PublicKey) -> Refused:
    """Any answer that is neither a success nor a conflict."""
    detail = f"HTTP {reply.status}: {_problem_text(reply, city)}"
    wait = retry_after(reply.headers)
    if not _is_signed(reply, city) and reply.status < 500 and reply.status != 429:
        return Refused(
            Trouble.BAD_ANSWER, f"HTTP {reply.status} without the city's signature", wait
        )
    troubles = {401: Trouble.UNKNOWN_NODE, 403: Trouble.WRONG_NODE, 429: Trouble.CITY_ERROR}
    default = Trouble.CITY_ERROR if reply.status >= 500 else Trouble.REFUSED
    return Refused(troubles.get(reply.status, default), detail, wait)


def judge_health(reply: Reply, city: PublicKey) -> Refused | None:
    """None when the city itself says that it is there."""
    if reply.status != 200:
        return judge_error(reply, city)
    if not _is_signed(reply, city):
        return Refused(Trouble.BAD_ANSWER, "the answer is not signed by the city: a login page?")
    return None


def signed_json(reply: Reply, city: PublicKey) -> dict[str, Any] | None:
    """The JSON object of a signed answer, None for anything else."""
    if not _is_signed(reply, city):
        return None
    try:
        document = msgspec.json.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def judge_part_reply(reply: Reply, node: str, sha256: str, city: PublicKey) -> Progress | Refused:
    """How much of an attachment the city has, if it is the city that says so."""
    if reply.status != 200:
        return judge_error(reply, city)
    document = signed_json(reply, city)
    if document is None:
        return Refused(Trouble.BAD_ANSWER, "the answer is not signed by the city: a login page?")
    progress = read_progress(document, node, sha256)
    return progress or Refused(Trouble.BAD_ANSWER, "the answer is about another attachment")


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of `Retry-After`; 0 for a date, because dates need a clock that can be trusted."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0.0


def _judge_ack(body: bytes, node: str, lane: Lane, epoch: int, city: PublicKey) -> Outcome:
    ack = decode_ack(body, city)
    if isinstance(ack, AckProblem):
        return Refused(Trouble.BAD_ANSWER, ack.detail)
    if (ack.node, ack.lane, ack.epoch) != (node, lane, epoch):
        return Refused(Trouble.BAD_ANSWER, "acknowledgement of another node or chain")
    return Delivered(ack)


def _judge_conflict(reply: Reply, city: PublicKey) -> Outcome:
    document = signed_json(reply, city)
    if document is None:
        return Refused(Trouble.BAD_ANSWER, "HTTP 409 without the city's signature")
    kind = str(document.get("type", "")).rsplit(":", 1)[-1]
    wanted = document.get("wanted_seq")
    if kind == _GAP and isinstance(wanted, int) and not isinstance(wanted, bool) and wanted >= 1:
        return Wanted(wanted)
    if kind == _TAMPERING:
        return OtherFuture(str(document.get("detail", ""))[:300])
    return Refused(Trouble.REFUSED, f"HTTP 409: {_problem_text(reply, city)}")


def _is_signed(reply: Reply, city: PublicKey) -> bool:
    return verify_body(reply.body, reply.headers.get(SIGNATURE_HEADER.lower()), city)


def _problem_text(reply: Reply, city: PublicKey) -> str:
    document = signed_json(reply, city) or {}
    words = [str(document[key]) for key in ("title", "detail") if document.get(key)]
    return "; ".join(words)[:300] or "no explanation that can be believed"
