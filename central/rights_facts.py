"""What stays of a fact whose content was erased: its place, its kind and its hash. Pure.

The row keeps the hash of the bytes that came, which the next fact of the chain names, so a chain stays
whole over an erased place; that the content matched it can no longer be shown, and the husk says so.
Sealed content is random to whoever has no key, so the hash lets nobody guess what was there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from municipio.facts import RECOVERED, FactType, Lane, canonical_json
from municipio.identifiers import make_folio

KEPT = ("channel", "folio", "language", "recipient", "service_code", "terms_version")
"""Members that say nothing of a person and that the counts were made from."""

_RECOVERED = frozenset(t.value for t in RECOVERED.values())
_MARK = b'"erased":{'


def is_husk(raw: bytes) -> bool:
    return _MARK in raw and "erased" in document(raw)


def husk(raw: bytes, hash: str, why: str, at: str) -> bytes:
    """The bytes to keep instead of a fact's. `hash` is that of the fact as it came."""
    fact = document(raw)
    data = fact.get("data")
    told = data if isinstance(data, dict) else {}
    fact["data"] = {name: told[name] for name in KEPT if isinstance(told.get(name), str)}
    fact["erased"] = {"at": at, "hash": hash, "why": why}
    return canonical_json(fact)


def document(raw: bytes) -> dict[str, Any]:
    """A stored fact as JSON; empty for bytes that are no object."""
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def spoken(raw: bytes) -> dict[str, Any]:
    """The fact, or the one that travels inside it."""
    fact = document(raw)
    inner = fact.get("data", {}).get("fact") if fact.get("type") in _RECOVERED else None
    return document(inner.encode(errors="replace")) if isinstance(inner, str) else fact


def fact_id(row: Any) -> str:
    """The id of a stored fact, or of the one that travels inside it. `row` has `raw`."""
    return str(spoken(bytes(row.raw)).get("id", ""))


def folio_of(raw: bytes, node: str) -> str:
    """The folio that a fact names, or the one that it opened."""
    fact = spoken(raw)
    data = fact.get("data")
    named = data.get("folio") if isinstance(data, dict) else None
    if isinstance(named, str) and named:
        return named
    return place_folio(raw, node)


def place_folio(raw: bytes, node: str) -> str:
    """The folio that a fact opens if it opens one, by its place in its chain."""
    fact = spoken(raw)
    try:
        return make_folio(node, Lane(fact["lane"]), int(fact["epoch"]), int(fact["seq"]))
    except (KeyError, ValueError, TypeError):
        return ""


def type_of(raw: bytes) -> FactType | None:
    try:
        return FactType(spoken(raw).get("type", ""))
    except (ValueError, TypeError):
        return None


def attachments_of(raw: bytes) -> list[str]:
    """SHA-256 of the sealed files that a fact names."""
    data = spoken(raw).get("data")
    named = data.get("attachments") if isinstance(data, dict) else None
    if not isinstance(named, list):
        return []
    found = (item.get("sha256") for item in named if isinstance(item, dict))
    return [sha256 for sha256 in found if isinstance(sha256, str)]
