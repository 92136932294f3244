"""Facts by the month of their arrival on PostgreSQL, and their ids in a table of their own.

A partitioned table can keep nothing unique but what its partition key is part of, so `fact_ids` is
where an id belongs to one place for ever, also after old months went to an archive. A chain's own
places stay unique by its head, which every batch locks. SQLite has no partitions and gets the same
tables. Chains also learn how often their projection failed.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text, text

from central.migrations.columns import create

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create("fact_ids", "id:text node:text epoch:big lane:text seq:big", "id")
    op.execute(
        "INSERT INTO fact_ids (inegi, id, node, epoch, lane, seq) "
        "SELECT inegi, id, node, epoch, lane, seq FROM facts"
    )
    if op.get_bind().dialect.name == "postgresql":
        _partition()
    else:
        with op.batch_alter_table("facts") as table:
            table.drop_constraint("facts_id", type_="unique")
    with op.batch_alter_table("heads") as table:
        table.add_column(Column("failures", BigInteger, nullable=False, server_default="0"))
        table.add_column(Column("trouble", Text, nullable=False, server_default=""))
        table.add_column(Column("tried_at", Text, nullable=False, server_default=""))


def _partition() -> None:
    op.execute("ALTER TABLE facts RENAME TO facts_before")
    op.execute(
        """
        CREATE TABLE facts (
            inegi VARCHAR(5) NOT NULL, node TEXT NOT NULL, epoch BIGINT NOT NULL, lane TEXT NOT NULL,
            seq BIGINT NOT NULL, id TEXT NOT NULL, raw BYTEA NOT NULL, hash TEXT NOT NULL,
            received_at TEXT NOT NULL,
            PRIMARY KEY (inegi, node, epoch, lane, seq, received_at)
        ) PARTITION BY RANGE (received_at)
        """
    )
    # What no month is ready for is still taken; months are made ahead, so it stays empty.
    op.execute("CREATE TABLE facts_other PARTITION OF facts DEFAULT")
    months = op.get_bind().execute(
        text("SELECT DISTINCT left(received_at, 7) FROM facts_before ORDER BY 1")
    )
    from central.partitions import create_month

    for month in list(months.scalars()):
        create_month(op.get_bind(), str(month))
    op.execute(
        "INSERT INTO facts (inegi, node, epoch, lane, seq, id, raw, hash, received_at) "
        "SELECT inegi, node, epoch, lane, seq, id, raw, hash, received_at FROM facts_before"
    )
    op.execute("DROP TABLE facts_before")
