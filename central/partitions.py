"""Months of facts on PostgreSQL: each month of arrival is a partition `facts_YYYY_MM`.

An old month can be detached and archived whole without touching what arrives today. SQLite keeps one
table and needs nothing of this.
"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection, text

AHEAD = 3
"""Months made before they come; a city whose programs sleep that long still loses nothing, because a
default partition takes what has no month."""

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def prepare_months(connection: Connection, at: datetime) -> None:
    """Make this month's partition and the next ones where they are missing."""
    if connection.dialect.name != "postgresql":
        return
    month = at.strftime("%Y-%m")
    for _ in range(AHEAD + 1):
        create_month(connection, month)
        month = next_month(month)


def create_month(connection: Connection, month: str) -> None:
    """`month` is `YYYY-MM`. Nothing happens when it is there, or when the default has rows of it."""
    if not _MONTH.fullmatch(month):
        raise ValueError(f"not a month: {month!r}")
    name, end = f"facts_{month.replace('-', '_')}", next_month(month)
    is_there = text("SELECT to_regclass(:name) IS NOT NULL")
    strays = text(
        "SELECT EXISTS (SELECT FROM facts_other WHERE received_at >= :a AND received_at < :b)"
    )
    if connection.scalar(is_there, {"name": name}):
        return
    if connection.scalar(strays, {"a": month, "b": end}):
        return
    # Moments are RFC 3339 texts, so the texts of two months bound exactly the moments between them.
    connection.exec_driver_sql(
        f"CREATE TABLE {name} PARTITION OF facts FOR VALUES FROM ('{month}') TO ('{end}')"
    )


def next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"
