"""Two matters under one folio: two copies of a card gave it before they heard of each other. Pure.

Which fact is whose is told by the epoch of the chain that it came in: a card's facts stay in its chain,
and those of the copy that spoke second came inside facts of a later epoch. What cannot be told so stays
apart, so that one person's matter is never shown as another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from central.effects import Matter, effects_of
from central.rights_facts import folio_of, place_folio, spoken

_ANY_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Told:
    """A fact about a folio: its own id, the epoch that carried it, and whether it opened the folio."""

    id: str
    epoch: int
    opens: bool


def told(raw: bytes, node: str, epoch: int) -> Told:
    """A stored fact; `epoch` is that of its row."""
    opens = folio_of(raw, node) == place_folio(raw, node)
    return Told(str(spoken(raw).get("id", "")), epoch, opens)


def matters_of(facts: Sequence[Told]) -> tuple[str, ...]:
    """Of each fact of one folio the id of the fact that opened its matter; all empty for one matter.

    A fact of which this cannot be known has its own id.
    """
    openers: dict[str, set[int]] = {}
    for fact in facts:
        if fact.opens:
            openers.setdefault(fact.id, set()).add(fact.epoch)
    if len(openers) < 2:
        return ("",) * len(facts)
    return tuple(_matter_of(fact, openers) for fact in facts)


def _matter_of(fact: Told, openers: dict[str, set[int]]) -> str:
    if fact.opens:
        return fact.id
    here = [opener for opener, epochs in openers.items() if fact.epoch in epochs]
    return here[0] if len(here) == 1 else fact.id


def opened_by(raw: bytes, node: str) -> str:
    """The folio of the matter that a fact opens for a citizen; empty for a fact that opens none."""
    own = place_folio(raw, node)
    effects = effects_of(raw, node, _ANY_ZONE)
    return own if any(isinstance(e, Matter) and e.folio == own for e in effects) else ""
