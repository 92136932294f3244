"""Names of the published trámites, for the month's most consulted."""

from __future__ import annotations

from central.migrations.columns import create

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    create("tramites", "id:text name:text dependency:text", "id")
