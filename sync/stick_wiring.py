"""What a stick needs of a node, built from its data directory."""

from __future__ import annotations

from sync.attachments import AttachmentStore
from sync.carrier import NodeSide
from sync.outbox import Outbox
from sync.uploads import Uploads
from sync.wiring import CannotStart, Memory, load_keys


def build_node_side(memory: Memory) -> NodeSide | CannotStart:
    """What a stick needs of this node."""
    keys = load_keys(memory.data)
    if isinstance(keys, CannotStart):
        return keys
    settings = memory.settings
    return NodeSide(
        settings.text("city.inegi"),
        settings.node_code,
        *keys,
        Outbox(memory.ledger),
        Uploads(memory.ledger, AttachmentStore(memory.data.attachments)),
        memory.data,
        settings.flag("node.padron"),
    )
