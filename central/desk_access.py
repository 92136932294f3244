"""What an office of the city may fetch, and how it shows that it is that office: with its own age key.

The city seals a token to the office's keys; who can open it is the office. The city keeps no secret of
the office and no session: a token is signed by the city's own key and ends by itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature
from sqlalchemy import and_, select

from central.keys import CityKey
from central.nodes import NodeState
from central.schema import facts, heads, nodes
from central.store import Store
from municipio.facts import Lane

VALID = timedelta(minutes=15)
MAX_BYTES = 512 * 1024
"""Of facts in one reply; one fact is never larger."""
STRETCH = 200
_CONTEXT = b"plaza desk token\n"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain in which citizens' matters travel, up to where the city's books are."""

    node: str
    epoch: int
    through: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The facts of an office after a place; go on after `through` until it is the chain's."""

    through: int
    facts: tuple[str, ...]


def seal_token(key: CityKey, office: str, recipients: Sequence[str], now: datetime) -> str:
    """A token that only the owner of one of these age keys can read; armored age."""
    body = json.dumps({"office": office, "until": int((now + VALID).timestamp())}).encode()
    token = b".".join(base64.urlsafe_b64encode(part) for part in (body, key.sign(_CONTEXT + body)))
    keys = [pyrage.x25519.Recipient.from_str(name) for name in recipients]
    return bytes(pyrage.encrypt(token, keys, armored=True)).decode("ascii")


def is_of_office(key: CityKey, token: str, office: str, now: datetime) -> bool:
    """Did this city give this token to this office, and is it still valid?"""
    try:
        body, signature = (base64.urlsafe_b64decode(part) for part in token.encode().split(b"."))
        key.public.verify(signature, _CONTEXT + body)
        known = json.loads(body)
        return bool(known["office"] == office and now.timestamp() < known["until"])
    except (ValueError, KeyError, TypeError, binascii.Error, InvalidSignature):
        return False


def chains(store: Store, inegi: str) -> tuple[Chain, ...]:
    """Every chain of reports and requests; a quarantined node's wait until the staff looked."""
    h, n = heads.c, nodes.c
    held = select(n.node).where(n.inegi == inegi, n.state == NodeState.QUARANTINED.value)
    mine = and_(h.inegi == inegi, h.lane == Lane.REP.value, h.node.not_in(held))
    with store.begin() as connection:
        rows = connection.execute(select(heads).where(mine).order_by(h.node, h.epoch)).all()
    return tuple(Chain(row.node, row.epoch, row.projected) for row in rows)


def facts_of(store: Store, inegi: str, office: str, node: str, epoch: int, after: int) -> Stretch:
    """What is sealed to an office in a chain, byte for byte, after a place."""
    chain = next((c for c in chains(store, inegi) if (c.node, c.epoch) == (node, epoch)), None)
    if chain is None or chain.through <= after:
        return Stretch(after, ())
    f = facts.c
    last = min(after + STRETCH, chain.through)
    here = and_(f.inegi == inegi, f.node == node, f.epoch == epoch, f.lane == Lane.REP.value)
    wanted = select(f.seq, f.raw).where(here, f.seq > after, f.seq <= last).order_by(f.seq)
    with store.begin() as connection:
        rows = connection.execute(wanted).all()
    found: list[str] = []
    size = 0
    for row in rows:
        raw = bytes(row.raw).decode()
        if not is_for(json.loads(raw), office):
            continue
        if found and size + len(raw) > MAX_BYTES:
            return Stretch(row.seq - 1, tuple(found))
        found.append(raw)
        size += len(raw)
    return Stretch(last, tuple(found))


def all_facts_of(store: Store, inegi: str, office: str) -> Iterator[str]:
    """Everything of an office, chain by chain."""
    for chain in chains(store, inegi):
        after = 0
        while after < chain.through:
            stretch = facts_of(store, inegi, office, chain.node, chain.epoch, after)
            yield from stretch.facts
            after = stretch.through


def is_for(fact: Mapping[str, Any], office: str) -> bool:
    """Is this fact, or the one recovered inside it, sealed to the office?"""
    data = fact["data"]
    inner = data.get("fact")
    if isinstance(inner, str):
        try:
            data = json.loads(inner)["data"]
        except (ValueError, KeyError, TypeError):
            return False
    return isinstance(data, dict) and data.get("recipient") == office
