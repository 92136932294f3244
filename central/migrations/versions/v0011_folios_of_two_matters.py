"""Folios that were opened inside another fact: two copies of a card may have given one folio twice."""

from __future__ import annotations

from alembic import op

from central.migrations.columns import create

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    create("carried_folios", "node:text folio:text fact_id:text", "folio fact_id")
    op.create_index("carried_folios_node", "carried_folios", ["inegi", "node"])
