"""Versions of the software on their way to the nodes, ring by ring."""

from __future__ import annotations

from central.migrations.columns import create

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    create(
        "rollouts",
        "version:text state:text reason:text started_at:text ring_since:text changed_at:text "
        "ring:big rings:big bound_percent:big wait_s:big silent_s:big",
        "version",
    )
    create(
        "rollout_nodes",
        "version:text node:text outcome:text cause:text asked_at:text ended_at:text ring:big",
        "version node",
    )
