"""What a node's facts say of an update that ended: pure, read leniently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from central.rollout import LAST_RING
from municipio.facts import RECOVERED, FactType
from municipio.wire.software import version_key


@dataclass(frozen=True, slots=True)
class Ended:
    version: str
    ring: int
    is_good: bool
    cause: str


class _Stored(msgspec.Struct):
    type: str
    data: dict[str, Any]


_DECODER = msgspec.json.Decoder(_Stored)
_MARK = b"node.update"
_RECOVERED = {kind.value for kind in RECOVERED.values()}
_IS_GOOD = {FactType.NODE_UPDATED.value: True, FactType.NODE_UPDATE_RETURNED.value: False}


def ended_of(raw: bytes) -> Ended | None:
    """The end of an update, also of one that travelled inside another fact; None for any other fact."""
    if _MARK not in raw:
        return None
    try:
        fact = _DECODER.decode(raw)
        if fact.type in _RECOVERED:
            fact = _DECODER.decode(str(fact.data.get("fact", "")))
        is_good = _IS_GOOD.get(fact.type)
        version, ring = fact.data.get("version"), fact.data.get("ring")
        version_key(version if isinstance(version, str) else "")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if is_good is None or type(ring) is not int or not 1 <= ring <= LAST_RING:
        return None
    cause = fact.data.get("cause")
    plain = cause if isinstance(cause, str) and cause.isprintable() else ""
    return Ended(str(version), ring, is_good, plain[:40])
