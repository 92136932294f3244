"""Corrected times: what is known of each boot's clock, and of facts that cannot speak for themselves.

Facts that were projected before stay with their own times; what comes from now on is corrected.
"""

from __future__ import annotations

from alembic import op

from central.migrations.columns import create

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create("boot_clocks", "node:text boot:text anchors:text", "node boot")
    create(
        "fact_times",
        "node:text lane:text boot:text quality:text epoch:big seq:big boot_ms:big time_ms:big "
        "received_ms:big earliest_ms:big latest_ms:big doubted:big counted:big",
        "node epoch lane seq",
    )
    op.create_index("fact_times_node_boot", "fact_times", ["inegi", "node", "boot"])
