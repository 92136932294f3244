"""Columns as the revisions write them. A revision names what it makes; it never reads today's schema."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, Text

_TYPES = {"text": Text, "big": BigInteger, "int": Integer, "blob": LargeBinary}


def create(name: str, columns: str, key: str) -> None:
    """`columns` is `name:kind ...` with text, big, int or blob; `inegi` leads every table and key."""
    made: list[Column[object]] = [Column("inegi", String(5), nullable=False)]
    for word in columns.split():
        column, kind = word.split(":")
        made.append(Column(column, _TYPES[kind], nullable=False))
    op.create_table(name, *made, PrimaryKeyConstraint("inegi", *key.split()))
