"""Sealed files that facts name, as they come in parts."""

from __future__ import annotations

from central.migrations.columns import create

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create(
        "attachments", "node:text sha256:text bytes:big state:text received_at:text", "node sha256"
    )
    create("attachment_parts", "node:text sha256:text first:big body:blob", "node sha256 first")
