"""The first books: nodes, chains of facts, quarantine, the padrón, payments and folios."""

from __future__ import annotations

from alembic import op

from central.migrations.columns import create

revision = "0001"
down_revision = None

_PLACE = "node:text epoch:big lane:text seq:big"


def upgrade() -> None:
    create("nodes", "node:text state:text added_at:text last_contact_at:text", "node")
    create("node_keys", "key_id:text node:text public:blob state:text added_at:text", "key_id")
    create("facts", f"{_PLACE} id:text raw:blob hash:text received_at:text", "node epoch lane seq")
    with op.batch_alter_table("facts") as table:
        table.create_unique_constraint("facts_id", ["inegi", "id"])
    create(
        "heads",
        "node:text epoch:big lane:text through:big chain:text updated_at:text projected:big",
        "node epoch lane",
    )
    create(
        "quarantine",
        f"{_PLACE} code:text detail:text raw:blob hash:text received_at:text",
        "node epoch lane seq",
    )
    create(
        "tampering",
        "node:text digest:text what:text detail:text first_seen_at:text last_seen_at:text times:big",
        "node digest",
    )
    _books()


def _books() -> None:
    create(
        "accounts",
        "clave:text owner_masked:text street:text colonia:text kind:text benefit:text tax:text "
        "paid_through:int paid_on:text paid_folio:text",
        "clave",
    )
    create(
        "liquidaciones",
        "id:text clave:text issued_on:text valid_until:text total_centavos:big through_year:int "
        "payload:blob signature:blob",
        "id",
    )
    create(
        "payments",
        "fact_id:text folio:text node:text clave:text liquidacion_id:text amount_centavos:big "
        "method:text paid_on:text state:text note:text posted_at:text",
        "fact_id",
    )
    op.create_index("payments_folio", "payments", ["inegi", "folio"])
    create(
        "folios",
        "folio:text node:text kind:text state:text city_folio:text opened_on:text updated_on:text",
        "folio",
    )
    create("counters", "name:text value:big", "name")
