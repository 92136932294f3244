"""The signed liquidación: what is believed, what is refused, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from municipio.liquidacion import (
    BadSignature,
    Expired,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    TimeUnsure,
    Usable,
    check_liquidacion,
    decode_liquidacion,
    encode_liquidacion,
)

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROW = LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 27390, 109560)
GOOD = Liquidacion(
    id="L20260120-TEST",
    clave="0620000101023006000005",
    issued_on=date(2026, 1, 20),
    valid_until=date(2026, 1, 31),
    rows=(ROW,),
    total_centavos=109560,
    benefit="pronto_pago",
    perfil="demo-2026",
    benefit_label="Descuento enero 20 %",
)


def verify(signature: bytes, message: bytes) -> bool:
    try:
        CITY.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signed(liquidacion: Liquidacion = GOOD) -> SignedLiquidacion:
    payload = encode_liquidacion(liquidacion)
    return SignedLiquidacion(liquidacion, payload, CITY.sign(payload))


def judged(one: SignedLiquidacion, today: date | None, trusted: bool = True) -> object:
    return check_liquidacion(one, verify=verify, today=today, trusted_time=trusted)


@pytest.mark.parametrize("day", [20, 25, 31])
def test_it_is_usable_from_its_first_to_its_last_day(day: int) -> None:
    assert judged(signed(), date(2026, 1, day)) == Usable(GOOD)


def test_it_is_expired_the_day_after() -> None:
    assert judged(signed(), date(2026, 2, 1)) == Expired(GOOD)


@pytest.mark.parametrize(
    ("today", "trusted"),
    [(None, True), (None, False), (date(2026, 1, 25), False), (date(2026, 1, 19), True)],
)
def test_without_a_date_that_can_be_believed_it_cannot_be_paid(
    today: date | None, trusted: bool
) -> None:
    """A date before it was issued shows that the clock is behind."""
    assert judged(signed(), today, trusted) == TimeUnsure(GOOD)


def test_another_key_is_refused_whatever_the_date() -> None:
    payload = encode_liquidacion(GOOD)
    forged = SignedLiquidacion(GOOD, payload, Ed25519PrivateKey.generate().sign(payload))
    assert isinstance(judged(forged, date(2026, 1, 25)), BadSignature)
    assert isinstance(judged(forged, None), BadSignature)


def test_values_that_are_not_those_of_the_signed_bytes_are_refused() -> None:
    changed = replace(signed(), liquidacion=replace(GOOD, perfil="otro"))
    assert judged(changed, date(2026, 1, 25)) == BadSignature(
        "the values are not those of the signed bytes"
    )


def test_even_the_citys_signature_does_not_make_wrong_sums_right() -> None:
    verdict = judged(signed(replace(GOOD, total_centavos=1)), date(2026, 1, 25))
    assert isinstance(verdict, BadSignature)
    assert "the total says 1" in verdict.detail


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_noticed(at: int, flip: int) -> None:
    one = signed()
    broken = bytearray(one.payload)
    broken[at % len(broken)] ^= flip
    assert isinstance(judged(replace(one, payload=bytes(broken)), date(2026, 1, 25)), BadSignature)


def changed(**members: Any) -> bytes:
    return rfc8785.dumps({**json.loads(encode_liquidacion(GOOD)), **members})


def changed_row(**members: Any) -> bytes:
    row = json.loads(encode_liquidacion(GOOD))["rows"][0]
    return changed(rows=[{**row, **members}])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not a liquidación"),
        (b"[]", "not a liquidación"),
        (b"\xff\xfe", "not a liquidación"),
        (b"[" * 9000, "not a liquidación"),
        (b" " * 20_000, "over 16384"),
        (encode_liquidacion(GOOD) + b" ", "not canonical"),
        (changed(v=2), "version 2"),
        (changed(extra=1), "not a liquidación"),
        (changed(total_centavos="1"), "not a liquidación"),
        (changed(total_centavos=109561), "the total says 109561"),
        (changed(id=""), "id or clave"),
        (changed(clave="06-200"), "id or clave"),
        (changed(valid_until="2026-01-19"), "before issued_on"),
        (changed(valid_until="2026-02-30"), "day is out of range"),
        (changed(valid_until="20260131"), "not canonical"),
        (changed(rows=[]), "rows add up to 0"),
        (changed(rows=json.loads(encode_liquidacion(GOOD))["rows"] * 2), "2026 is repeated"),
        (changed_row(tax_centavos=-1), "out of range"),
        (changed_row(subtotal_centavos=1), "do not add up to its subtotal"),
        (changed_row(discount_centavos=136951, subtotal_centavos=-1), "larger than its tax"),
        (changed_row(factor="1,13"), "factor «1,13»"),
        (changed_row(year=26), "year 26"),
        (changed_row(months=-1), "months are out of range"),
    ],
)
def test_bytes_that_break_a_rule_are_refused_by_name(raw: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_liquidacion(raw)


def test_a_liquidacion_with_nothing_to_pay_is_well_formed() -> None:
    empty = replace(GOOD, rows=(), total_centavos=0, benefit="", benefit_label="")
    assert decode_liquidacion(encode_liquidacion(empty)) == empty
