"""Facts as they lie in this node's own ledger, also those of a kind that a newer version wrote.

A node that went back to the version before (two slots) has facts in its chains whose type it does not
know. They are its own, numbered and sealed: they keep their place, are carried to the city and are never
taken for damage. What comes from a wire is judged by `municipio.facts.decode_fact` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from municipio.clock import TimeQuality
from municipio.facts import (
    MAX_FACT_BYTES,
    Fact,
    FactError,
    FactType,
    Json,
    Lane,
    canonical_json,
    decode_fact,
    parse_time,
)

_KNOWN = frozenset(kind.value for kind in FactType)


@dataclass(frozen=True, slots=True)
class NewerFact:
    """What this version needs of a fact whose `type` it does not know."""

    id: str
    source: str
    type: str
    time: datetime | None
    epoch: int
    lane: Lane
    seq: int
    prev: str
    timequality: TimeQuality
    data: Json


class _Place(msgspec.Struct):
    id: str
    source: str
    type: str
    epoch: int
    lane: Lane
    seq: int
    prev: str
    timequality: TimeQuality
    data: dict[str, Any]
    time: str | None = None


def decode_stored(raw: bytes) -> Fact | NewerFact:
    """A fact of this node's ledger. Raises FactError for what no version of this software wrote."""
    try:
        return decode_fact(raw)
    except FactError:
        newer = _newer(raw)
        if newer is None:
            raise
        return newer


def _newer(raw: bytes) -> NewerFact | None:
    if len(raw) > MAX_FACT_BYTES:
        return None
    try:
        place = msgspec.json.decode(raw, type=_Place)
        canonical = canonical_json(msgspec.json.decode(raw))
        time = None if place.time is None else parse_time(place.time)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if place.type in _KNOWN or canonical != raw or place.seq < 1 or place.epoch < 1:
        return None
    return NewerFact(
        place.id, place.source, place.type, time, place.epoch, place.lane, place.seq, place.prev,
        place.timequality, place.data,
    )  # fmt: skip
