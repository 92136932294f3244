"""Requests that come over Open311 become facts like any other: the city itself is the node 000.

It has a key of its own and a chain, so the desk, the books, the audit and the data rights need to know
nothing of Open311. What a person wrote is sealed to the office before it is stored.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, and_, select

from central.city import City
from central.ingest import Taken, take_batch_in
from central.keys import KeysError, load_private, make_private
from central.nodes import CITY_NUMBER, add_node_in
from central.schema import fact_ids, heads, nodes
from central.store import Store
from municipio.clock import Instant, TimeQuality
from municipio.facts import (
    ZERO_HASH,
    FactDraft,
    FactType,
    Lane,
    encode_fact,
    make_fact,
    node_urn,
)
from municipio.identifiers import make_folio
from municipio.wire.batch import Batch, BatchHeader, decode_batch, encode_batch

KEY_FILE = "open311.key"
RECIPIENT = "siac"
CHANNEL = "open311"
_EPOCH = 1
_LANE = Lane.REP
_SAME = uuid.UUID("7a1f0a36-6f6e-4a53-8f10-3a0a311a0311")
"""Name space of ids that a client's Idempotency-Key makes."""


@dataclass(frozen=True)
class Door:
    """The city's own node. `boot` is this process."""

    node: str
    key: Ed25519PrivateKey
    boot: str = field(default_factory=lambda: str(uuid.uuid4()))
    began_s: float = field(default_factory=time.monotonic)

    def instant(self, now: datetime) -> Instant:
        passed_ms = int((time.monotonic() - self.began_s) * 1000)
        return Instant(now, TimeQuality.SYNCED, self.boot, passed_ms)


def door_code(city: City) -> str:
    return f"{city.code}{CITY_NUMBER}"


def open_door(store: Store, city: City, keys: Path, now: datetime) -> Door:
    """Make the door's key where it is missing, and register it. Raises KeysError, NodeError."""
    key = make_private(keys / KEY_FILE)
    with store.begin() as connection:
        add_node_in(connection, city.inegi, door_code(city), key.public_key(), now, replace=False)
    return Door(door_code(city), key)


def load_door(city: City, keys: Path) -> Door | None:
    """The door, if it was opened. Raises KeysError."""
    if not (keys / KEY_FILE).exists():
        return None
    return Door(door_code(city), load_private(keys / KEY_FILE))


def same_id(key_name: str, asked: str) -> str:
    """The fact's id; the same for the same client's Idempotency-Key, new without one."""
    return str(uuid.uuid5(_SAME, f"{key_name}\n{asked}")) if asked else str(uuid.uuid4())


def file_request(
    store: Store,
    city: City,
    door: Door,
    recipients: Sequence[str],
    said: Mapping[str, Any],
    *,
    service_code: str,
    id: str,
    now: datetime,
) -> str:
    """Seal what was said and take the fact in; returns its folio after the commit.

    The same id again gives the folio that it opened. Raises KeysError when the door is not registered.
    """
    keys = [pyrage.x25519.Recipient.from_str(name) for name in recipients]
    plain = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    sealed = bytes(pyrage.encrypt(plain, keys, armored=True)).decode("ascii")
    data = {
        "service_code": service_code,
        "colonia": "",
        "channel": CHANNEL,
        "language": "es_MX",
        "recipient": RECIPIENT,
        "sealed": sealed,
    }
    with store.begin() as connection:
        _lock(connection, city, door)
        known = _known(connection, city, id)
        if known is not None:
            return make_folio(door.node, _LANE, _EPOCH, known)
        through, chain = _head(connection, city, door)
        batch = _batch(city, door, FactDraft(FactType.REPORT_FILED, data), id, through, chain, now)
        taken = take_batch_in(connection, city.inegi, batch, now)
        if not isinstance(taken, Taken) or taken.refused:
            raise KeysError(f"the city's own chain {door.node} is not whole: {taken}")
    return make_folio(door.node, _LANE, _EPOCH, through + 1)


def _lock(connection: Connection, city: City, door: Door) -> None:
    """Whoever files takes turns, in every process."""
    n = nodes.c
    mine = and_(n.inegi == city.inegi, n.node == door.node)
    if connection.execute(select(n.node).where(mine).with_for_update()).first() is None:
        raise KeysError(f"{door.node} is not registered: plaza-central open311 enable")


def _known(connection: Connection, city: City, id: str) -> int | None:
    i = fact_ids.c
    return connection.scalars(select(i.seq).where(i.inegi == city.inegi, i.id == id)).first()


def _head(connection: Connection, city: City, door: Door) -> tuple[int, str]:
    h = heads.c
    mine = and_(
        h.inegi == city.inegi, h.node == door.node, h.epoch == _EPOCH, h.lane == _LANE.value
    )
    row = connection.execute(select(h.through, h.chain).where(mine)).first()
    return (row.through, row.chain) if row else (0, ZERO_HASH)


def _batch(
    city: City, door: Door, draft: FactDraft, id: str, through: int, chain: str, now: datetime
) -> Batch:
    seq = through + 1
    fact = make_fact(
        draft,
        id=id,
        source=node_urn(city.inegi, door.node),
        epoch=_EPOCH,
        seq=seq,
        prev=chain,
        at=door.instant(now),
    )
    header = BatchHeader(door.node, _EPOCH, _LANE, seq, seq, chain)
    made = decode_batch(encode_batch(header, [encode_fact(fact)], door.key.sign))
    assert isinstance(made, Batch), "what was just encoded decodes"
    return made
