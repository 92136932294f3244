"""Enrolment codes, the site of a node, and why it is quarantined."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from central.migrations.columns import create

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create(
        "enrol_codes",
        "name:text key:blob node:text site:text preapproved:big made_at:text expires_at:text "
        "failures:big used_at:text used_key:text",
        "name",
    )
    with op.batch_alter_table("nodes") as table:
        table.add_column(Column("site", Text, nullable=False, server_default=""))
        table.add_column(Column("note", Text, nullable=False, server_default=""))
