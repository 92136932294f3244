"""What a scanned code means: a receipt's address, a clave, a folio, or nothing we know."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.facts import Lane
from municipio.identifiers import make_folio
from municipio.scans import (
    SCAN_MAX,
    ScannedClave,
    ScannedFolio,
    UnknownReason,
    UnknownScan,
    read_scan,
)
from municipio.wire.receipt_code import make_receipt_code

MASK = "2-3-3-2-3-3-2-3-1"
FOLIO = make_folio("COA007", Lane.PAY, 1, 123)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CODE = make_receipt_code(FOLIO, 109560, None, KEY.sign)


@pytest.mark.parametrize(
    "text",
    [
        f"https://ciudad.example/r/{CODE}",
        f"http://127.0.0.1:8311/r/{CODE}",
        f"HTTPS://ciudad.example/tesoreria/recibos/r/{CODE}",
        f"  https://ciudad.example/r/{CODE} ",
        CODE,
    ],
)
def test_a_receipts_code_leads_to_its_folio(text: str) -> None:
    meaning = read_scan(text, MASK)

    assert isinstance(meaning, ScannedFolio)
    assert meaning.folio.text == FOLIO
    assert meaning.from_receipt


@pytest.mark.parametrize("text", [FOLIO, FOLIO.lower(), FOLIO.replace("-", "")])
def test_a_folio_alone_is_that_folio(text: str) -> None:
    meaning = read_scan(text, MASK)

    assert isinstance(meaning, ScannedFolio)
    assert meaning.folio.text == FOLIO
    assert not meaning.from_receipt


@pytest.mark.parametrize(
    "text", ["0010010501500101", "00100105015001012", "30-039-001-01-050-150-01-001-2"]
)
def test_sixteen_seventeen_or_twenty_two_digits_are_a_clave_with_its_zeros(text: str) -> None:
    meaning = read_scan(text, MASK)

    assert isinstance(meaning, ScannedClave)
    assert meaning.clave.digits == text.replace("-", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UnknownReason.EMPTY),
        ("   ", UnknownReason.EMPTY),
        ("7501055300075", UnknownReason.OTHER),
        ("WIFI:S:casa;T:WPA;P:secreto;;", UnknownReason.OTHER),
        (FOLIO[:-1] + ("A" if FOLIO[-1] != "A" else "B"), UnknownReason.OTHER),
        ("https://malo.example/", UnknownReason.OTHER_ADDRESS),
        (f"https://malo.example/r/{CODE}/mas", UnknownReason.OTHER_ADDRESS),
        (f"https://malo.example/?u=/r/{CODE}", UnknownReason.OTHER_ADDRESS),
        (f"https://malo.example/r/{CODE}#x", UnknownReason.OTHER_ADDRESS),
        ("https://malo.example/r/nada", UnknownReason.OTHER),
        ("https://[malo/r/x", UnknownReason.OTHER_ADDRESS),
        ("javascript:alert(1)", UnknownReason.OTHER),
        ("9" * (SCAN_MAX + 1), UnknownReason.TOO_LONG),
    ],
)
def test_anything_else_is_a_code_we_do_not_recognise(text: str, reason: UnknownReason) -> None:
    assert read_scan(text, MASK) == UnknownScan(reason)


@settings(max_examples=150)
@given(st.text(max_size=700))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(read_scan(text, MASK), ScannedClave | ScannedFolio | UnknownScan)
