"""What banks reported, what differs, pólizas, CFDI, and the signatures of batches."""

from __future__ import annotations

from alembic import op

from central.migrations.columns import create

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create("evidence_heads", "node:text lane:text epoch:big through:big", "node epoch lane")
    create(
        "charges",
        "folio:text node:text code:text clave:text liquidacion_id:text method:text "
        "authorization:text last4:text state:text day:text due:text settled:text "
        "amount_centavos:big seq:big",
        "folio",
    )
    create(
        "cash_cuts",
        "id:text node:text folio:text day:text settled:text counted_centavos:big "
        "difference_centavos:big",
        "id",
    )
    create(
        "settlement_files",
        "sha256:text mapping:text kind:text name:text imported_at:text lines:big fresh:big",
        "sha256",
    )
    create(
        "settlement_lines",
        "id:text file:text mapping:text kind:text day:text reference:text authorization:text "
        "last4:text node:text collection:text due:text state:text subject:text number:big "
        "gross_centavos:big commission_centavos:big net_centavos:big expected_centavos:big",
        "id",
    )
    create(
        "differences",
        "id:text kind:text subject:text node:text day:text detail:text opened_at:text "
        "closed_at:text expected_centavos:big found_centavos:big",
        "id",
    )
    _books()
    for table, column in (
        *(("charges", name) for name in ("node", "authorization", "code", "state")),
        ("cash_cuts", "node"),
        *(("settlement_lines", name) for name in ("state", "subject", "day")),
        ("differences", "closed_at"),
        ("poliza_items", "day"),
        ("batch_seals", "received_at"),
        ("cfdi", "uuid"),
    ):
        op.create_index(f"{table}_{column}", table, ["inegi", column])


def _books() -> None:
    create("polizas", "day:text closed_at:text sha256:text lines:big total_centavos:big", "day")
    create("poliza_items", "id:text day:text", "id")
    create(
        "batch_seals",
        "node:text lane:text prev:text signature:text received_at:text epoch:big "
        "first:big last:big",
        "node epoch lane first last",
    )
    create(
        "cfdi",
        "folio:text uuid:text issuer:text receiver:text total:text seal:text stamped_at:text "
        "imported_at:text total_centavos:big",
        "folio",
    )
