"""The fleet's places and vitals, the indicators' counts, the staff's tokens and the audit trail.

Payments and pases of before are counted from the books; reports are read again from their chains,
which changes nothing else.
"""

from __future__ import annotations

from alembic import op

from central.migrations.columns import create

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create("places", "node:text placed_at:text lat_e6:big lon_e6:big", "node")
    create(
        "vitals",
        "node:text name:text state:text cause:text detail:text since:text told_at:text "
        "epoch:big seq:big",
        "node name",
    )
    create("tallies", "month:text node:text what:text part:text value:big", "month node what part")
    create("reports", "folio:text node:text service_code:text channel:text month:text", "folio")
    create("services", "code:text name:text dependency:text", "code")
    create("recovered_ids", "id:text node:text", "id")
    create("staff_tokens", "name:text digest:text made_at:text revoked_at:text", "name")
    create("audit", "id:text at:text who:text what:text folio:text detail:text", "id")
    for table, column in (
        ("reports", "month"),
        ("recovered_ids", "node"),
        ("audit", "at"),
        ("audit", "folio"),
    ):
        op.create_index(f"{table}_{column}", table, ["inegi", column])
    _count_what_is_there()


def _count_what_is_there() -> None:
    paid = "SUBSTR(CASE WHEN paid_on = '' THEN posted_at ELSE paid_on END, 1, 7)"
    into = "INSERT INTO tallies (inegi, month, node, what, part, value) SELECT inegi, "
    for what, value in (("transactions", "COUNT(*)"), ("centavos", "SUM(amount_centavos)")):
        op.execute(
            f"{into} {paid}, node, '{what}', method, {value} FROM payments "
            f"GROUP BY inegi, {paid}, node, method"
        )
    opened = "SUBSTR(CASE WHEN opened_on = '' THEN updated_on ELSE opened_on END, 1, 7)"
    op.execute(
        f"{into} {opened}, node, 'pases', '', COUNT(*) FROM folios WHERE kind = 'pase' "
        f"GROUP BY inegi, {opened}, node"
    )
    op.execute("UPDATE heads SET projected = 0 WHERE lane = 'rep'")
