"""What a stick needs of a node, built from its data directory."""

from __future__ import annotations

from sync.attachments import AttachmentStore
from sync.carrier import NodeSide
from sync.keys import KeyMissing, NodeKey, load_city_key
from sync.outbox import Outbox
from sync.uploads import Uploads
from sync.wiring import CannotStart, Memory


def build_node_side(memory: Memory) -> NodeSide | CannotStart:
    """What a stick needs of this node."""
    key = NodeKey.load(memory.data)
    if isinstance(key, KeyMissing):
        return CannotStart(key.detail)
    city = load_city_key(memory.data)
    if isinstance(city, KeyMissing):
        return CannotStart(city.detail)
    settings = memory.settings
    return NodeSide(
        settings.text("city.inegi"),
        settings.node_code,
        key,
        city,
        Outbox(memory.ledger),
        Uploads(memory.ledger, AttachmentStore(memory.data.attachments)),
        memory.data,
        settings.flag("node.padron"),
    )
