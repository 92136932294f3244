"""A liquidación: what one property owes, per year and concept, as the city signed it.

The bytes that the city signs are RFC 8785 JSON. A node never computes a tax: it decodes these bytes,
checks their sums, the signature and the date, and shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import rfc8785

from municipio.facts import canonical_json
from municipio.money import MAX_CENTAVOS

MAX_LIQUIDACION_BYTES = 16 * 1024
_FACTOR = re.compile(r"[1-9]\d{0,3}(\.\d{1,6})?", re.ASCII)
_CLAVE = re.compile(r"\d{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LiquidacionRow:
    """One fiscal year. All amounts are non-negative centavos; the discount is taken off the sum.

    `factor` is the update factor as decimal text (`1.1309`, or `1` without update); `months` are the
    months of surcharge.
    """

    year: int
    tax_centavos: int
    adicional_centavos: int
    factor: str
    update_centavos: int
    months: int
    surcharge_centavos: int
    discount_centavos: int
    subtotal_centavos: int

    @property
    def accessories_centavos(self) -> int:
        """Update and surcharges together: what paying late costs."""
        return self.update_centavos + self.surcharge_centavos


@dataclass(frozen=True, slots=True)
class Liquidacion:
    """What a property owes if it is paid between `issued_on` and `valid_until`, both included.

    An account with nothing to pay has no rows and a total of 0. `benefit` is the code of the
    discount that was applied (empty: none) and `benefit_label` the text printed beside it.
    """

    id: str
    clave: str
    issued_on: date
    valid_until: date
    rows: tuple[LiquidacionRow, ...]
    total_centavos: int
    benefit: str
    perfil: str
    benefit_label: str = ""

    @property
    def discount_centavos(self) -> int:
        return sum(row.discount_centavos for row in self.rows)


@dataclass(frozen=True, slots=True)
class SignedLiquidacion:
    """A liquidación, the exact RFC 8785 bytes it was read from, and the city's Ed25519 signature."""

    liquidacion: Liquidacion
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Usable:
    """May be shown as today's debt, charged, and printed as a pase de caja."""

    liquidacion: Liquidacion


@dataclass(frozen=True, slots=True)
class Expired:
    """The amount may have changed since `liquidacion.valid_until`: no payment on it."""

    liquidacion: Liquidacion


@dataclass(frozen=True, slots=True)
class BadSignature:
    """Not what the city signed: show nothing of it."""

    detail: str


@dataclass(frozen=True, slots=True)
class TimeUnsure:
    """Genuine, but today's date cannot be trusted: a ficha de consulta only, no reference."""

    liquidacion: Liquidacion


Verdict = Usable | Expired | BadSignature | TimeUnsure


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    year: int
    tax_centavos: int
    adicional_centavos: int
    factor: str
    update_centavos: int
    months: int
    surcharge_centavos: int
    discount_centavos: int
    subtotal_centavos: int


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    """The exact JSON shape; parsed strictly because content arrives from outside."""

    v: int
    id: str
    clave: str
    issued_on: str
    valid_until: str
    rows: list[_Row]
    total_centavos: int
    benefit: str
    benefit_label: str
    perfil: str


def row_document(row: LiquidacionRow) -> dict[str, Any]:
    """A row as JSON values, field by field as in the signed payload."""
    return {name: getattr(row, name) for name in _Row.__struct_fields__}


def encode_liquidacion(liquidacion: Liquidacion) -> bytes:
    """RFC 8785 bytes of a liquidación: what the city signs."""
    document: dict[str, Any] = {
        "v": 1,
        "id": liquidacion.id,
        "clave": liquidacion.clave,
        "issued_on": liquidacion.issued_on.isoformat(),
        "valid_until": liquidacion.valid_until.isoformat(),
        "rows": [row_document(row) for row in liquidacion.rows],
        "total_centavos": liquidacion.total_centavos,
        "benefit": liquidacion.benefit,
        "benefit_label": liquidacion.benefit_label,
        "perfil": liquidacion.perfil,
    }
    return canonical_json(document)


def decode_liquidacion(raw: bytes) -> Liquidacion:
    """Parse hostile bytes. Raises ValueError that names the broken rule; sums are checked here.

    What is accepted re-encodes to exactly the same bytes.
    """
    if len(raw) > MAX_LIQUIDACION_BYTES:
        raise ValueError(f"liquidación of {len(raw)} bytes is over {MAX_LIQUIDACION_BYTES}")
    try:
        liquidacion = _from_wire(msgspec.json.decode(raw, type=_Wire))
        canonical = encode_liquidacion(liquidacion)
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, RecursionError) as e:
        raise ValueError(f"not a liquidación: {e}") from e
    if canonical != raw:
        raise ValueError("not canonical RFC 8785 bytes")
    check_sums(liquidacion)
    return liquidacion


def _from_wire(wire: _Wire) -> Liquidacion:
    if wire.v != 1:
        raise ValueError(f"liquidación version {wire.v} is not 1")
    return Liquidacion(
        id=wire.id,
        clave=wire.clave,
        issued_on=date.fromisoformat(wire.issued_on),
        valid_until=date.fromisoformat(wire.valid_until),
        rows=tuple(LiquidacionRow(**msgspec.structs.asdict(row)) for row in wire.rows),
        total_centavos=wire.total_centavos,
        benefit=wire.benefit,
        perfil=wire.perfil,
        benefit_label=wire.benefit_label,
    )


def check_sums(liquidacion: Liquidacion) -> None:
    """Raise ValueError unless every amount is in range and everything adds up."""
    if not liquidacion.id or not _CLAVE.fullmatch(liquidacion.clave):
        raise ValueError("id or clave is missing or malformed")
    if liquidacion.valid_until < liquidacion.issued_on:
        raise ValueError("valid_until is before issued_on")
    previous = 0
    for row in liquidacion.rows:
        _check_row(row)
        if row.year <= previous:
            raise ValueError(f"year {row.year} is repeated or out of order")
        previous = row.year
    total = sum(row.subtotal_centavos for row in liquidacion.rows)
    if total != liquidacion.total_centavos or total > MAX_CENTAVOS:
        raise ValueError(f"rows add up to {total}, the total says {liquidacion.total_centavos}")


def _check_row(row: LiquidacionRow) -> None:
    amounts = (row.tax_centavos, row.adicional_centavos, row.update_centavos,
               row.surcharge_centavos, row.discount_centavos)  # fmt: skip
    if any(not 0 <= amount <= MAX_CENTAVOS for amount in amounts):
        raise ValueError(f"an amount of {row.year} is out of range")
    if not 1900 <= row.year <= 2999 or not 0 <= row.months <= 1200:
        raise ValueError(f"year {row.year} or its months are out of range")
    if not _FACTOR.fullmatch(row.factor):
        raise ValueError(f"factor «{row.factor}» of {row.year} is not a decimal number")
    charged = sum(amounts[:4])
    if row.discount_centavos > row.tax_centavos + row.adicional_centavos:
        raise ValueError(f"the discount of {row.year} is larger than its tax")
    if row.subtotal_centavos != charged - row.discount_centavos:
        raise ValueError(f"the concepts of {row.year} do not add up to its subtotal")


def check_liquidacion(
    signed: SignedLiquidacion,
    *,
    verify: Callable[[bytes, bytes], bool],
    today: date | None,
    trusted_time: bool,
) -> Verdict:
    """May this liquidación be paid today? `verify(signature, payload)` asks the city's key.

    A date before `issued_on` shows that the clock is behind, so it counts as no date at all.
    """
    if not verify(signed.signature, signed.payload):
        return BadSignature("the city's key does not match")
    try:
        genuine = decode_liquidacion(signed.payload)
    except ValueError as e:
        return BadSignature(str(e))
    if genuine != signed.liquidacion:
        return BadSignature("the values are not those of the signed bytes")
    if today is None or not trusted_time or today < genuine.issued_on:
        return TimeUnsure(genuine)
    if today > genuine.valid_until:
        return Expired(genuine)
    return Usable(genuine)
