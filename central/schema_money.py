"""Tables of the city's money: what banks reported, what differs, pólizas, CFDI, and batch signatures.

`charges` and `cash_cuts` are projections of facts, made by `central.reconcile_evidence`; the rest is
the city's own. Amounts are centavos; the money of a returned charge is negative.
"""

from __future__ import annotations

from central.schema import lean_table

evidence_heads = lean_table("evidence_heads", "node lane", "epoch through", "node epoch lane")
"""How far each chain was read for `charges` and `cash_cuts`."""

charges = lean_table(
    "charges",
    "folio node code clave liquidacion_id method authorization last4 state day due settled",
    "amount_centavos seq",
    "folio",
    "node",
    "authorization",
    "code",
    "state",
)
"""One attempt to pay, or one pase. `method` is card, cash or pase; `code` the idempotency key that the
terminal saw; `state` open | unknown | ended | taken; `settled` the line that brought the money."""

cash_cuts = lean_table(
    "cash_cuts", "id node folio day settled", "counted_centavos difference_centavos", "id", "node"
)

settlement_files = lean_table(
    "settlement_files", "sha256 mapping kind name imported_at", "lines fresh", "sha256"
)

settlement_lines = lean_table(
    "settlement_lines",
    "id file mapping kind day reference authorization last4 node collection due state subject",
    "number gross_centavos commission_centavos net_centavos expected_centavos",
    "id",
    "state",
    "subject",
    "day",
)
"""One movement that a bank reported. `state` is open | matched | doubled | returned; `subject` is the
folio that it belongs to; `expected_centavos` what the books say it should be."""

differences = lean_table(
    "differences",
    "id kind subject node day detail opened_at closed_at",
    "expected_centavos found_centavos",
    "id",
    "closed_at",
)
"""What does not agree, kept also after it was settled; `closed_at` is empty while it stands."""

polizas = lean_table("polizas", "day closed_at sha256", "lines total_centavos", "day")

poliza_items = lean_table("poliza_items", "id day", "", "id", "day")
"""In which day's póliza a movement was counted: `payment:<fact id>` or `line:<line id>`."""

batch_seals = lean_table(
    "batch_seals",
    "node lane prev signature received_at",
    "epoch first last",
    "node epoch lane first last",
    "received_at",
)
"""The node's signature over each batch as it came: with its facts and header, proof of who spoke."""

cfdi = lean_table(
    "cfdi",
    "folio uuid issuer receiver total seal stamped_at imported_at",
    "total_centavos",
    "folio",
    "uuid",
)
