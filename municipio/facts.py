"""Facts: the one thing that travels from a node to the city.

A fact is a CloudEvents 1.0 JSON object with Plaza's extension attributes. Its canonical bytes are
RFC 8785 (JCS); its hash is the lower-case hex SHA-256 of those bytes. `seq` is gapless from 1 and
`prev` chains per (node, epoch, lane); the first fact of a chain has 64 zeros as `prev`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import rfc8785

from municipio.clock import Instant, TimeQuality

ZERO_HASH = "0" * 64
MAX_FACT_BYTES = 64 * 1024
"""CloudEvents asks consumers to accept at least 64 KiB; we never make a larger one."""

MAX_INTEGER = 2**53 - 1
"""RFC 8785 knows no larger integer."""

Json = Mapping[str, Any]


class Lane(StrEnum):
    """Priority lanes, most urgent first. Order, numbering and acknowledgement are per lane."""

    PAY = "pay"
    REP = "rep"
    ACC = "acc"
    VIT = "vit"

    @property
    def letter(self) -> str:
        """The letter this lane has inside a folio (P, R, A, V)."""
        return self.value[0].upper()


LANES: tuple[Lane, ...] = (Lane.PAY, Lane.REP, Lane.ACC, Lane.VIT)


class FactType(StrEnum):
    PAYMENT_INTENDED = "payment.intended"
    PAYMENT_TAKEN = "payment.taken"
    PAYMENT_UNKNOWN = "payment.unknown"
    PAYMENT_RESOLVED = "payment.resolved"
    PASE_ISSUED = "payment.pase_issued"
    RECEIPT_PRINTED = "receipt.printed"
    RECEIPT_REPRINTED = "receipt.reprinted"
    RECEIPT_UNKNOWN = "receipt.unknown"
    REPORT_FILED = "report.filed"
    REPORT_PHOTO_ADDED = "report.photo_added"
    """A sealed photo for the report whose folio it names, sent after the report itself."""
    COMPLAINT_FILED = "complaint.filed"
    APPOINTMENT_ASKED = "appointment.asked"
    SURVEY_ANSWERED = "survey.answered"
    FILTER_APPEALED = "filter.appealed"
    TERMS_ACCEPTED = "terms.accepted"
    VISIT_ENDED = "visit.ended"
    VISIT_COUNTED = "visit.counted"
    DEVICE_CHANGED = "device.changed"
    NODE_STARTED = "node.started"
    NODE_CONFIGURED = "node.configured"
    """Settings of the city were taken, or refused and the former ones kept."""
    NODE_UPDATED = "node.updated"
    """A new version of the software was tried and found good."""
    NODE_UPDATE_RETURNED = "node.update_returned"
    """A new version did not serve, or could not be installed: the node has the one before."""
    NODE_CLOCK_CHECKED = "node.clock_checked"
    """What the city's clock said at a known moment of this boot (`municipio.clock_anchor`): once a boot
    and once a day. From it the city computes when each fact of the boot happened."""
    NODE_CONTENT_CHANGED = "node.content_changed"
    """The dates of the content and of the filter list that this node serves, when they change."""
    ENERGY_CHANGED = "energy.changed"
    TECHNICIAN_ACTED = "technician.acted"
    TRAMITE_CONSULTED = "tramite.consulted"
    """How often each trámite was opened here: only counts of five or more, at most one fact an hour."""
    PAYMENT_RECOVERED = "payment.recovered"
    REPORT_RECOVERED = "report.recovered"
    TERMS_RECOVERED = "terms.recovered"
    NODE_RECOVERED = "node.recovered"


_LANE_BY_PREFIX: dict[str, Lane] = {
    "payment": Lane.PAY,
    "receipt": Lane.PAY,
    "report": Lane.REP,
    "complaint": Lane.REP,
    "appointment": Lane.REP,
    "survey": Lane.REP,
    "filter": Lane.REP,
    "terms": Lane.ACC,
    "visit": Lane.ACC,
    "device": Lane.VIT,
    "node": Lane.VIT,
    "energy": Lane.VIT,
    "technician": Lane.VIT,
    "tramite": Lane.VIT,
}


def lane_of(fact_type: FactType) -> Lane:
    """The lane a fact travels in, decided by the first word of its type."""
    return _LANE_BY_TYPE[fact_type]


_LANE_BY_TYPE = {each: _LANE_BY_PREFIX[each.value.split(".", 1)[0]] for each in FactType}


RECOVERED: dict[Lane, FactType] = {
    Lane.PAY: FactType.PAYMENT_RECOVERED,
    Lane.REP: FactType.REPORT_RECOVERED,
    Lane.ACC: FactType.TERMS_RECOVERED,
    Lane.VIT: FactType.NODE_RECOVERED,
}
"""A fact that could not stay in its chain (a fact before it was damaged, or a copy of the card spoke
first) travels whole inside one of these, `data.fact`, and keeps its own id, folio and time."""


@dataclass(frozen=True, slots=True)
class FactDraft:
    """What a use case wants to say; numbering, chaining and time are the ledger's work.

    `data` must be JSON with integers no larger than 2**53 - 1, and no personal data in the clear.
    """

    type: FactType
    data: Json


class Fact(
    msgspec.Struct, frozen=True
):  # made on each record's path: a fifth of a dataclass's time
    """A numbered, chained fact. `time` is None exactly when `timequality` is unknown."""

    id: str
    source: str
    type: FactType
    time: datetime | None
    epoch: int
    lane: Lane
    seq: int
    prev: str
    boot: str
    bootms: int
    timequality: TimeQuality
    data: Json


class FactError(ValueError):
    """Bytes that are not a well-formed fact; the message says which rule they break."""


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    """The exact JSON shape; parsed strictly because everything from a wire is hostile."""

    specversion: str
    id: str
    source: str
    type: FactType
    epoch: int
    lane: Lane
    seq: int
    prev: str
    boot: str
    bootms: str
    timequality: TimeQuality
    data: dict[str, Any]
    time: str | None = None


def node_urn(inegi: str, node: str) -> str:
    """CloudEvents `source` of a node: municipality (INEGI, 5 digits) and node code, e.g. `COA007`."""
    return f"urn:plaza:{inegi}:{node}"


def make_fact(
    draft: FactDraft, *, id: UUID | str, source: str, epoch: int, seq: int, prev: str, at: Instant
) -> Fact:
    """Number a draft. The caller guarantees that (source, epoch, lane, seq) was never used."""
    quality = TimeQuality.UNKNOWN if at.time is None else at.quality
    return Fact(
        id=str(id),
        source=source,
        type=draft.type,
        time=None if quality is TimeQuality.UNKNOWN else at.time,
        epoch=epoch,
        lane=_LANE_BY_TYPE[draft.type],
        seq=seq,
        prev=prev,
        boot=at.boot,
        bootms=at.boot_ms,
        timequality=quality,
        data=draft.data,
    )


class _Plain(msgspec.Struct):
    """A fact's members, encoded in one call with those of `data` in order: on each record's path."""

    boot: str
    bootms: str
    data: Json
    epoch: int
    id: str
    lane: Lane
    prev: str
    seq: int
    source: str
    timequality: TimeQuality
    type: FactType
    time: str | msgspec.UnsetType
    specversion: str = "1.0"


_SORTED = msgspec.json.Encoder(order="sorted")


def encode_fact(fact: Fact) -> bytes:
    """RFC 8785 bytes of a fact: what is hashed, signed in batches and kept by the city."""
    if not _is_plain(fact.data):
        return rfc8785.dumps(_document(fact))
    plain = _Plain(
        fact.boot,
        str(fact.bootms),
        fact.data,
        fact.epoch,
        fact.id,
        fact.lane,
        fact.prev,
        fact.seq,
        fact.source,
        fact.timequality,
        fact.type,
        msgspec.UNSET if fact.time is None else format_time(fact.time),
    )
    raw = _SORTED.encode(plain)
    # Only escapes, and the order of names beyond ASCII, can differ from RFC 8785.
    return raw if raw.isascii() and b"\\" not in raw else canonical_json(_document(fact))


def _is_plain(value: Any) -> bool:
    """True for exactly the values that a JSON parser gives, floats and great integers left out."""
    kind = type(value)
    if kind is str:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if kind is dict:
        for key, item in value.items():  # a loop, because `all` of a generator takes twice as long
            if type(key) is not str or not (type(item) is str or _is_plain(item)):
                return False
        return True
    if kind is list:
        return all(map(_is_plain, value))
    return kind is bool or value is None


def _document(fact: Fact) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "specversion": "1.0",
        "id": fact.id,
        "source": fact.source,
        "type": fact.type.value,
        "epoch": fact.epoch,
        "lane": fact.lane.value,
        "seq": fact.seq,
        "prev": fact.prev,
        "boot": fact.boot,
        "bootms": str(fact.bootms),
        "timequality": fact.timequality.value,
        "data": dict(fact.data),
    }
    if fact.time is not None:
        wire["time"] = format_time(fact.time)
    return wire


_NOT_PLAIN = re.compile(
    rb"[\\\xf0-\xff]"
    rb"|[:\[,]-?(?:\d{16,}|\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?=[,\]}])"
)
"""Where sorted JSON and RFC 8785 may differ: escapes, astral characters, floats, great integers."""


def canonical_json(document: dict[str, Any]) -> bytes:
    """RFC 8785 bytes of values that came out of a JSON parser; many times faster for plain ones."""
    plain = msgspec.json.encode(document, order="sorted")
    if _NOT_PLAIN.search(plain) is None:
        return plain
    return rfc8785.dumps(document)


def decode_fact(raw: bytes) -> Fact:
    """Parse hostile bytes into a fact, refusing anything that is not canonical or not ours.

    Raises FactError. A fact accepted here re-encodes to exactly the same bytes.
    """
    if len(raw) > MAX_FACT_BYTES:
        raise FactError(f"fact of {len(raw)} bytes is over the limit of {MAX_FACT_BYTES}")
    try:
        wire = msgspec.json.decode(raw, type=_Wire)
        fact = _fact_from_wire(wire)
        canonical = encode_fact(fact)
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, ValueError, RecursionError) as e:
        raise FactError(f"not a fact: {e}") from e
    if canonical != raw:
        raise FactError("not canonical RFC 8785 bytes")
    return fact


def _fact_from_wire(wire: _Wire) -> Fact:
    if wire.specversion != "1.0":
        raise FactError(f"specversion {wire.specversion!r} is not 1.0")
    if wire.seq < 1 or wire.epoch < 1:
        raise FactError("seq and epoch start at 1")
    if len(wire.prev) != 64 or not set(wire.prev) <= set("0123456789abcdef"):
        raise FactError("prev is not a lower-case hex SHA-256")
    if wire.lane is not lane_of(wire.type):
        raise FactError(f"type {wire.type.value} does not travel in lane {wire.lane.value}")
    if (wire.time is None) != (wire.timequality is TimeQuality.UNKNOWN):
        raise FactError("time is left out exactly when timequality is unknown")
    if not (wire.bootms.isascii() and wire.bootms.isdigit()) or len(wire.bootms) > 15:
        raise FactError("bootms is not a decimal string")
    return Fact(
        id=_uuid(wire.id),
        source=wire.source,
        type=wire.type,
        time=None if wire.time is None else parse_time(wire.time),
        epoch=wire.epoch,
        lane=wire.lane,
        seq=wire.seq,
        prev=wire.prev,
        boot=wire.boot,
        bootms=int(wire.bootms),
        timequality=wire.timequality,
        data=wire.data,
    )


def _uuid(text: str) -> str:
    """As RFC 9562 spells it. A fact with another spelling is not canonical, so none is read."""
    if _is_uuid(text) is None:
        raise FactError("id is not a UUID in lower case")
    return text


_is_uuid = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch


def fact_hash(raw: bytes) -> str:
    """Lower-case hex SHA-256 of a fact's canonical bytes: the next fact's `prev`."""
    return hashlib.sha256(raw).hexdigest()


def format_time(moment: datetime) -> str:
    """RFC 3339 UTC with milliseconds and Z, the only spelling a fact may carry."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # Four times as fast as `isoformat`, which counts on each record's path.
    raw = _encode_time(utc)
    if len(raw) == _WITH_MICROSECONDS:
        return raw[1:24].decode() + "Z"
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


_encode_time = msgspec.json.Encoder().encode
_WITH_MICROSECONDS = len('"2026-01-20T12:00:00.123456Z"')


def parse_time(text: str) -> datetime:
    """Inverse of `format_time`; ValueError on any other spelling."""
    # Many times faster than strptime, which counts when the city takes in a nation's facts.
    if _is_time(text) is None:
        raise ValueError(f"not RFC 3339 UTC with milliseconds and Z: {text[:40]!r}")
    return datetime.fromisoformat(text)


_is_time = re.compile(
    r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII
).fullmatch
