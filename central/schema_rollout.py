"""Tables of the roll-outs: which versions go to which rings of nodes, and how each node fared."""

from __future__ import annotations

from central.schema_fleet import _table

rollouts = _table(
    "rollouts",
    "version state reason started_at ring_since changed_at",
    "ring rings bound_percent wait_s silent_s",
    "version",
)
"""One version on its way. `ring` is the last one that may have it; `state` is going or stopped."""

rollout_nodes = _table(
    "rollout_nodes", "version node outcome cause asked_at ended_at", "ring", "version node"
)
"""A node that was told to go: `outcome` is asked until its fact comes, then updated or returned."""
