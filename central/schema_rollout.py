"""Tables of the roll-outs: which versions go to which rings of nodes, and how each node fared."""

from __future__ import annotations

from central.schema import lean_table

rollouts = lean_table(
    "rollouts",
    "version state reason started_at ring_since changed_at",
    "ring rings bound_percent wait_s silent_s",
    "version",
)
"""One version on its way. `ring` is the last one that may have it; `state` is going or stopped."""

rollout_nodes = lean_table(
    "rollout_nodes", "version node outcome cause asked_at ended_at", "ring", "version node"
)
"""A node that was told to go: `outcome` is asked until its fact comes, then updated or returned.
`asked_at` is empty where a stick brought the version."""
