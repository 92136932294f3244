"""The city's tables: one schema for SQLite and PostgreSQL.

The INEGI municipality code leads every primary key, so that a state or the nation can shard by
municipality without a change of schema. Facts are appended and never updated; everything else is a
projection of them or the city's own books. Moments are RFC 3339 UTC texts, money is integer centavos.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()


def _inegi() -> Column[str]:
    return Column("inegi", String(5), nullable=False)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, default=default)


def _number(name: str, default: int | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, default=default)


def lean_table(name: str, texts: str, numbers: str, key: str, *indexes: str) -> Table:
    """A table of texts and numbers alone, its columns named in blank-separated words.

    `inegi` leads the table, its key and its indexes.
    """
    return Table(
        name,
        metadata,
        _inegi(),
        *(Column(word, Text, nullable=False) for word in texts.split()),
        *(Column(word, BigInteger, nullable=False) for word in numbers.split()),
        PrimaryKeyConstraint("inegi", *key.split()),
        *(Index(f"{name}_{words.replace(' ', '_')}", "inegi", *words.split()) for words in indexes),
    )


nodes = Table(
    "nodes",
    metadata,
    _inegi(),
    _text("node"),
    _text("state"),  # waiting | active | quarantined | revoked
    _text("added_at"),
    _text("last_contact_at", ""),
    _text("site", ""),
    _text("note", ""),  # why it is quarantined
    PrimaryKeyConstraint("inegi", "node"),
)

enrol_codes = Table(
    "enrol_codes",
    metadata,
    _inegi(),
    _text("name"),  # the first four characters of the code; the code itself is not kept
    Column("key", LargeBinary, nullable=False),  # what scrypt makes of its secret
    _text("node"),
    _text("site"),
    _number("preapproved"),
    _text("made_at"),
    _text("expires_at"),
    _number("failures", 0),
    _text("used_at", ""),
    _text("used_key", ""),
    PrimaryKeyConstraint("inegi", "name"),
)

node_keys = Table(
    "node_keys",
    metadata,
    _inegi(),
    _text("key_id"),
    _text("node"),
    Column("public", LargeBinary, nullable=False),  # 32 raw bytes of Ed25519
    _text("state"),  # active | retired: receipts signed by a retired key still verify
    _text("added_at"),
    PrimaryKeyConstraint("inegi", "key_id"),
)

facts = Table(
    "facts",
    metadata,
    _inegi(),
    _text("node"),
    _number("epoch"),
    _text("lane"),
    _number("seq"),
    _text("id"),
    Column("raw", LargeBinary, nullable=False),  # the bytes as received; nothing is re-encoded
    _text("hash"),
    _text("received_at"),
    # On PostgreSQL `received_at` is in the key too, because months of it are partitions.
    PrimaryKeyConstraint("inegi", "node", "epoch", "lane", "seq"),
)

fact_ids = Table(
    "fact_ids",  # an id belongs to one place for ever, also when its month went to the archive
    metadata,
    _inegi(),
    _text("id"),
    _text("node"),
    _number("epoch"),
    _text("lane"),
    _number("seq"),
    PrimaryKeyConstraint("inegi", "id"),
)

heads = Table(
    "heads",
    metadata,
    _inegi(),
    _text("node"),
    _number("epoch"),
    _text("lane"),
    _number("through"),
    _text("chain"),
    _text("updated_at"),
    _number("projected", 0),  # facts up to this seq are in the projections
    _number("failures", 0),  # times that the next step of the projections failed in a row
    _text("trouble", ""),  # what it failed with, for the staff
    _text("tried_at", ""),
    PrimaryKeyConstraint("inegi", "node", "epoch", "lane"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _inegi(),
    _text("node"),
    _number("epoch"),
    _text("lane"),
    _number("seq"),
    _text("code"),
    _text("detail"),
    Column("raw", LargeBinary, nullable=False),
    _text("hash"),
    _text("received_at"),
    PrimaryKeyConstraint("inegi", "node", "epoch", "lane", "seq"),
)

tampering = Table(
    "tampering",
    metadata,
    _inegi(),
    _text("node"),
    _text("digest"),  # SHA-256 of the offending bytes: the same offence is one row
    _text("what"),
    _text("detail"),
    _text("first_seen_at"),
    _text("last_seen_at"),
    _number("times", 1),
    PrimaryKeyConstraint("inegi", "node", "digest"),
)

attachments = Table(
    "attachments",
    metadata,
    _inegi(),
    _text("node"),
    _text("sha256"),
    _number("bytes"),
    _text("state", "waiting"),  # waiting | complete
    _text("received_at"),
    PrimaryKeyConstraint("inegi", "node", "sha256"),
)

attachment_parts = Table(
    "attachment_parts",
    metadata,
    _inegi(),
    _text("node"),
    _text("sha256"),
    _number("first"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("inegi", "node", "sha256", "first"),
)

accounts = Table(
    "accounts",
    metadata,
    _inegi(),
    _text("clave"),  # digits only
    _text("owner_masked"),
    _text("street"),
    _text("colonia"),
    _text("kind"),
    _text("benefit", ""),
    _text("tax"),  # JSON of the tax data that liquidaciones are computed from
    Column("paid_through", Integer, nullable=False, default=0),  # last fiscal year that is paid
    _text("paid_on", ""),
    _text("paid_folio", ""),
    PrimaryKeyConstraint("inegi", "clave"),
)

liquidaciones = Table(
    "liquidaciones",
    metadata,
    _inegi(),
    _text("id"),
    _text("clave"),
    _text("issued_on"),
    _text("valid_until"),
    _number("total_centavos"),
    Column("through_year", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    PrimaryKeyConstraint("inegi", "id"),
)

payments = Table(
    "payments",
    metadata,
    _inegi(),
    _text("fact_id"),
    _text("folio"),
    _text("node"),
    _text("clave"),
    _text("liquidacion_id"),
    _number("amount_centavos"),
    _text("method"),
    _text("paid_on"),  # ISO date in the city's zone, empty when the node did not know the time
    _text("state"),  # posted | refund_owed | unmatched
    _text("note", ""),
    _text("posted_at"),
    PrimaryKeyConstraint("inegi", "fact_id"),
    Index("payments_folio", "inegi", "folio"),
)

folios = Table(
    "folios",
    metadata,
    _inegi(),
    _text("folio"),
    _text("node"),
    _text("kind"),
    _text("state"),
    _text("city_folio", ""),
    _text("opened_on", ""),
    _text("updated_on"),
    PrimaryKeyConstraint("inegi", "folio"),
    Index("folios_city_folio", "inegi", "city_folio"),
)

counters = Table(
    "counters",
    metadata,
    _inegi(),
    _text("name"),
    _number("value", 0),
    PrimaryKeyConstraint("inegi", "name"),
)
