from __future__ import annotations

from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.wire.receipt_code import (
    ReceiptCode,
    ReceiptCodeProblem,
    make_receipt_code,
    read_receipt_code,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
FOLIO = "COA007-P1-000123-K"


@given(st.integers(0, 99_999_999_999), st.none() | st.dates(date(2020, 1, 1), date(2199, 1, 1)))
@settings(max_examples=60)
def test_a_code_says_what_was_printed(amount: int, day: date | None) -> None:
    code = read_receipt_code(make_receipt_code(FOLIO, amount, day, KEY.sign))
    assert isinstance(code, ReceiptCode)
    assert (code.folio, code.amount_centavos, code.day) == (FOLIO, amount, day)
    assert code.verify(PUBLIC)
    assert not code.verify(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())


def test_changing_any_character_of_a_code_is_noticed() -> None:
    text = make_receipt_code(FOLIO, 109560, date(2026, 1, 20), KEY.sign)
    for at in range(len(text)):
        for other in (chr(ord(text[at]) ^ 1), "0", "A", "", "é", "٣"):
            changed = text[:at] + other + text[at + 1 :]
            if changed != text:
                code = read_receipt_code(changed)
                assert isinstance(code, ReceiptCodeProblem) or not code.verify(PUBLIC)


@given(st.text(max_size=220))
@settings(max_examples=100)
def test_any_text_is_a_problem_and_never_a_crash(text: str) -> None:
    assert isinstance(read_receipt_code(text), ReceiptCodeProblem)


@pytest.mark.parametrize(("folio", "amount"), [("", 1), ("COA.7", 1), (FOLIO, -1), ("ñ" * 9, 1)])
def test_a_receipt_that_cannot_exist_gets_no_code(folio: str, amount: int) -> None:
    with pytest.raises(ValueError, match="cannot make"):
        make_receipt_code(folio, amount, None, KEY.sign)


def test_the_text_fits_a_small_qr() -> None:
    assert len(make_receipt_code(FOLIO, 109560, date(2026, 1, 20), KEY.sign)) < 130
