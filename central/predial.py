"""The debt of a property today: a liquidación computed, signed and remembered when a node asks.

What was paid since the padrón was made is taken off first, so a kiosk never charges a debt twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import and_, select

from central.context import Central
from central.problems import Problem, ProblemType
from central.schema import accounts, liquidaciones
from central.store import insert_missing
from municipio.identifiers import ClaveProblem, parse_clave
from municipio.predial import (
    Liquidacion,
    Perfil,
    SignedLiquidacion,
    compute_liquidacion,
    encode_liquidacion,
    parse_account_tax,
)


def debt(central: Central, clave: str) -> dict[str, Any] | Problem:
    """The reply to `GET /v1/predial/{clave}`: an account with its liquidación, or already_paid."""
    parsed = parse_clave(clave, central.city.clave_mask)
    if isinstance(parsed, ClaveProblem):
        return Problem(ProblemType.BAD_CLAVE, "a clave has 16, 17 or 22 digits")
    a = accounts.c
    mine = and_(a.inegi == central.city.inegi, a.clave == parsed.digits)
    with central.store.begin() as connection:
        row = connection.execute(select(accounts).where(mine)).first()
        if row is None:
            return Problem(ProblemType.NOT_FOUND, "no account has this clave")
        signed = liquidate(
            central.perfil, row.tax, row.paid_through, central.today(), central.key.sign
        )
        if not signed.liquidacion.rows:
            paid = {"clave": row.clave, "paid_on": row.paid_on, "folio": row.paid_folio}
            return {"already_paid": paid}
        record = liquidacion_row(central.city.inegi, signed)
        insert_missing(connection, liquidaciones, [record])
    names = ("clave", "owner_masked", "street", "colonia", "kind", "benefit")
    account = {name: getattr(row, name) for name in names}
    return {"account": account, "liquidacion": signed_document(signed)}


def liquidate(
    perfil: Perfil, tax: str, paid_through: int, on: date, sign: Callable[[bytes], bytes]
) -> SignedLiquidacion:
    """What is owed on a day for the years after `paid_through`, signed by the city.

    `tax` is the JSON of the accounts table, in the shape that `parse_account_tax` reads.
    """
    account = parse_account_tax(json.loads(tax))
    unpaid = {y: c for y, c in account.annual_tax_centavos.items() if y > paid_through}
    liquidacion = compute_liquidacion(perfil, replace(account, annual_tax_centavos=unpaid), on)
    payload = encode_liquidacion(liquidacion)
    return SignedLiquidacion(liquidacion, payload, sign(payload))


def signed_document(signed: SignedLiquidacion) -> dict[str, str]:
    """The JSON members that carry a liquidación: payload as text, signature in base64."""
    signature = base64.b64encode(signed.signature).decode()
    return {"payload": signed.payload.decode(), "signature": signature}


def liquidacion_row(inegi: str, signed: SignedLiquidacion) -> dict[str, Any]:
    """The row that remembers what was issued, so that a payment can be matched with it."""
    issued = signed.liquidacion
    return {
        "inegi": inegi,
        "id": issued.id,
        "clave": issued.clave,
        "issued_on": issued.issued_on.isoformat(),
        "valid_until": issued.valid_until.isoformat(),
        "total_centavos": issued.total_centavos,
        "through_year": through_year(issued),
        "payload": signed.payload,
        "signature": signed.signature,
    }


def through_year(issued: Liquidacion) -> int:
    """The last fiscal year that paying it settles; 0 when there is nothing to pay."""
    return max((row.year for row in issued.rows), default=0)
