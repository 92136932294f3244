"""Is a receipt genuine? Three answers, from the signed code in its QR and the city's books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import and_, select

from central.context import Central
from central.nodes import keys_of
from central.schema import payments
from municipio.identifiers import FolioProblem, parse_folio
from municipio.wire.receipt_code import ReceiptCodeProblem, read_receipt_code


class Verdict(StrEnum):
    REGISTERED = "registered"
    """Signed by a node of this city, and the payment is in the books with this amount."""
    ON_ITS_WAY = "on_its_way"
    """Signed by a node of this city; no payment of this amount is in the books yet."""
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class ReceiptAnswer:
    """Figures are empty for an invalid code: what nobody signed is not repeated.

    `refund` says that the city owes this payment back.
    """

    verdict: Verdict
    folio: str = ""
    amount_centavos: int = 0
    day: date | None = None
    node: str = ""
    refund: bool = False


INVALID = ReceiptAnswer(Verdict.INVALID)


def check_receipt(central: Central, text: str) -> ReceiptAnswer:
    """Judge a code as it came from a telephone's camera or a keyboard."""
    code = read_receipt_code(text)
    if isinstance(code, ReceiptCodeProblem):
        return INVALID
    folio = parse_folio(code.folio)
    if isinstance(folio, FolioProblem):
        return INVALID
    signers = keys_of(central.store, central.city.inegi, folio.node_code)
    if not any(code.verify(public) for public in signers):
        return INVALID
    p = payments.c
    mine = and_(p.inegi == central.city.inegi, p.folio == code.folio)
    with central.store.begin() as connection:
        posted = connection.execute(select(p.amount_centavos, p.state).where(mine)).all()
    same = [row for row in posted if row.amount_centavos == code.amount_centavos]
    verdict = Verdict.REGISTERED if same else Verdict.ON_ITS_WAY
    owed = any(row.state == "refund_owed" for row in same)
    return ReceiptAnswer(verdict, code.folio, code.amount_centavos, code.day, folio.node_code, owed)
