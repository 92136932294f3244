"""The register of nodes and their public keys.

A key is never forgotten: a retired one signs no request any more, but the receipts that it signed
still verify.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, and_, select, update

from central.schema import heads, node_keys, nodes
from central.store import Store, insert_missing, upsert
from municipio.facts import format_time
from municipio.wire import keys

CONTACT_STEP = timedelta(seconds=30)
NODE_CODE = re.compile(r"[A-Z]{3}[0-9]{3}")
CITY_NUMBER = "000"
"""The number of the city itself: it signs what comes in without a box (Open311)."""


class NodeState(StrEnum):
    WAITING = "waiting"
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    REVOKED = "revoked"


_HEARD = (NodeState.ACTIVE.value, NodeState.QUARANTINED.value)


class NodeError(ValueError):
    """A node that cannot be registered; the message is fit for a terminal."""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node for people to look at. Moments are RFC 3339 UTC, empty when never."""

    node: str
    state: str
    key_id: str
    added_at: str
    last_contact_at: str
    facts: int
    chains: tuple[str, ...] = ()
    site: str = ""
    note: str = ""


def judge_code(node: str) -> None:
    """Raises NodeError for a code that no box in a plaza may have."""
    if not NODE_CODE.fullmatch(node):
        raise NodeError(f"«{node}» is not a node code such as COA007")
    if node.endswith(CITY_NUMBER):
        raise NodeError(f"{node} is the city's own number; nodes have 001 to 999")


def add_node(
    store: Store, inegi: str, node: str, public: Ed25519PublicKey, at: datetime, *, replace: bool
) -> str:
    """Register a node's key; the same key again changes nothing. Returns the key id.

    Raises NodeError for a code that no box can have, for another key unless `replace`, and for a
    key that already belongs to another node.
    """
    judge_code(node)
    with store.begin() as connection:
        return add_node_in(connection, inegi, node, public, at, replace=replace)


def add_node_in(
    connection: Connection,
    inegi: str,
    node: str,
    public: Ed25519PublicKey,
    at: datetime,
    *,
    replace: bool,
) -> str:
    """`add_node` inside the caller's transaction, for a code that was judged; the city has one too."""
    identifier = keys.key_id(public)
    moment = format_time(at)
    k = node_keys.c
    known = connection.execute(select(node_keys).where(k.inegi == inegi)).all()
    owner = next((row.node for row in known if row.key_id == identifier), node)
    if owner != node:
        raise NodeError(f"this key already belongs to node {owner}")
    others = [r for r in known if r.node == node and r.state == "active"]
    if any(row.key_id != identifier for row in others) and not replace:
        raise NodeError(f"{node} already has another key; use --replace to retire it")
    retired = and_(k.inegi == inegi, k.node == node, k.key_id != identifier)
    connection.execute(update(node_keys).where(retired).values(state="retired"))
    row = {"inegi": inegi, "node": node, "state": "active"}
    about = {"added_at": moment, "last_contact_at": "", "site": "", "note": ""}
    insert_missing(connection, nodes, [{**row, **about}])
    mine = and_(nodes.c.inegi == inegi, nodes.c.node == node)
    connection.execute(update(nodes).where(mine).values(state="active", note=""))
    key = {"key_id": identifier, "public": public.public_bytes(Encoding.Raw, PublicFormat.Raw)}
    upsert(connection, node_keys, {**row, **key, "added_at": moment})
    return identifier


def set_state(store: Store, inegi: str, node: str, wanted: NodeState) -> None:
    """Approve, release or revoke. Raises NodeError when it is not registered."""
    with store.begin() as connection:
        set_state_in(connection, inegi, node, wanted)


def set_state_in(connection: Connection, inegi: str, node: str, wanted: NodeState) -> None:
    """`set_state` inside the caller's transaction."""
    mine = and_(nodes.c.inegi == inegi, nodes.c.node == node)
    if connection.execute(select(nodes.c.node).where(mine)).first() is None:
        raise NodeError(f"{node} is not registered")
    connection.execute(update(nodes).where(mine).values(state=wanted.value, note=""))


def quarantine_in(connection: Connection, inegi: str, node: str, why: str) -> None:
    """Two futures of one chain: keep every fact of both, and let none count until the staff looked."""
    n = nodes.c
    mine = and_(n.inegi == inegi, n.node == node, n.state == NodeState.ACTIVE.value)
    values = {"state": NodeState.QUARANTINED.value, "note": why}
    connection.execute(update(nodes).where(mine).values(values))


def state_of(connection: Connection, inegi: str, node: str) -> NodeState:
    mine = and_(nodes.c.inegi == inegi, nodes.c.node == node)
    return NodeState(connection.scalars(select(nodes.c.state).where(mine)).one())


def find_active(store: Store, inegi: str, key_id: str) -> tuple[str, Ed25519PublicKey] | None:
    """Node and key for a request's keyid; None when unknown, retired, waiting or revoked.

    A quarantined node still delivers: nothing that it or its clone recorded may be lost.
    """
    k, n = node_keys.c, nodes.c
    joined = node_keys.join(nodes, and_(k.inegi == n.inegi, k.node == n.node))
    mine = and_(k.inegi == inegi, k.key_id == key_id, k.state == "active", n.state.in_(_HEARD))
    with store.begin() as connection:
        row = connection.execute(select(k.node, k.public).select_from(joined).where(mine)).first()
    if row is None:
        return None
    return row.node, Ed25519PublicKey.from_public_bytes(bytes(row.public))


def note_contact(store: Store, inegi: str, node: str, at: datetime) -> None:
    """Remember that a node was heard; written at most twice a minute, because it costs an fsync."""
    n = nodes.c
    long_ago = format_time(at - CONTACT_STEP)
    mine = and_(n.inegi == inegi, n.node == node, n.last_contact_at < long_ago)
    with store.begin() as connection:
        if connection.execute(select(n.node).where(mine)).first() is not None:
            connection.execute(update(nodes).where(mine).values(last_contact_at=format_time(at)))


def keys_of(store: Store, inegi: str, node: str) -> tuple[Ed25519PublicKey, ...]:
    """Every key that a node ever had, for the receipts that it signed."""
    k = node_keys.c
    mine = and_(k.inegi == inegi, k.node == node)
    with store.begin() as connection:
        rows = connection.execute(select(k.public).where(mine)).all()
    return tuple(Ed25519PublicKey.from_public_bytes(bytes(row.public)) for row in rows)


def list_nodes(store: Store, inegi: str) -> tuple[NodeRow, ...]:
    """Every node, by code."""
    with store.begin() as connection:
        known = connection.execute(select(nodes).where(nodes.c.inegi == inegi)).all()
        active = and_(node_keys.c.inegi == inegi, node_keys.c.state == "active")
        ids = {r.node: r.key_id for r in connection.execute(select(node_keys).where(active))}
        chains = connection.execute(select(heads).where(heads.c.inegi == inegi)).all()
    rows = []
    for row in sorted(known, key=lambda r: r.node):
        mine = sorted((c for c in chains if c.node == row.node), key=lambda c: (c.epoch, c.lane))
        names = tuple(f"{c.lane} {c.epoch}: {c.through}" for c in mine)
        total = sum(c.through for c in mine)
        rows.append(
            NodeRow(row.node, row.state, ids.get(row.node, ""), row.added_at,
                    row.last_contact_at, total, names, row.site, row.note)
        )  # fmt: skip
    return tuple(rows)
