"""Where a report stands over time, what Open311 shows of it, its keys, and the desks' logs of openings."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from central.migrations.columns import create

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for table, name in (("reports", "colonia"), ("reports", "filed_at"), ("services", "keywords")):
        op.add_column(table, Column(name, Text, nullable=False, server_default=""))
    op.create_index("reports_filed_at", "reports", ["inegi", "filed_at"])
    op.create_index("folios_city_folio", "folios", ["inegi", "city_folio"])
    create(
        "case_events",
        "folio:text at:text what:text detail:text source:text noted_at:text line:big",
        "folio at what detail",
    )
    create(
        "desk_logs", "office:text desk:text public:text head:text at:text rows:big", "office desk"
    )
    create("open311_keys", "name:text digest:text made_at:text revoked_at:text", "name")
