"""The padrón that leaves the city: properties with masked owners and their signed liquidaciones.

It holds no names, no values and no house numbers. One JSON object a line (padron.ndjson), because a
city has 125,000 of them and a node reads them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from municipio.content import ContentProblem
from municipio.content_shapes import LiquidacionShape, PadronShape
from municipio.predial import Account, SignedLiquidacion, decode_liquidacion

PADRON = "padron.ndjson"


@dataclass(frozen=True, slots=True)
class PadronRow:
    """One property: what may be shown of it, and its liquidación as the city signed it."""

    account: Account
    liquidacion: SignedLiquidacion | None


def read_padron(raw: bytes) -> Iterator[PadronRow | ContentProblem]:
    """Rows in order; after a ContentProblem nothing follows. Sums are checked here, signatures on use."""
    decoder = msgspec.json.Decoder(PadronShape)
    seen: set[str] = set()
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            row = _row(decoder.decode(line))
            if row.account.clave in seen:
                raise ValueError(f"clave {row.account.clave} is there twice")
        except (msgspec.MsgspecError, ValueError) as e:
            yield ContentProblem(PADRON, f"line {number}: {e}")
            return
        seen.add(row.account.clave)
        yield row


def encode_padron(rows: Iterable[PadronRow]) -> bytes:
    """padron.ndjson: one JSON object a line, signatures in base64."""
    return b"".join(msgspec.json.encode(_shape(row)) + b"\n" for row in rows)


def _row(shape: PadronShape) -> PadronRow:
    account = Account(
        clave=shape.clave,
        owner_masked=shape.owner_masked,
        street=shape.street,
        colonia=shape.colonia,
        kind=shape.kind,
        benefit=shape.benefit,
    )
    if shape.liquidacion is None:
        return PadronRow(account, None)
    payload = shape.liquidacion.payload.encode()
    liquidacion = decode_liquidacion(payload)
    if liquidacion.clave != shape.clave:
        raise ValueError(f"the liquidación belongs to {liquidacion.clave}, not {shape.clave}")
    signature = shape.liquidacion.signature
    if len(signature) != 64:
        raise ValueError("the signature of the liquidación is not an Ed25519 signature")
    return PadronRow(account, SignedLiquidacion(liquidacion, payload, signature))


def _shape(row: PadronRow) -> PadronShape:
    signed = row.liquidacion
    return PadronShape(
        clave=row.account.clave,
        owner_masked=row.account.owner_masked,
        street=row.account.street,
        colonia=row.account.colonia,
        kind=row.account.kind,
        benefit=row.account.benefit,
        liquidacion=None
        if signed is None
        else LiquidacionShape(signed.payload.decode(), signed.signature),
    )
