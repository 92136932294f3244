"""Amounts: written, read, and in words as Mexican receipts print them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from municipio.money import (
    MAX_CENTAVOS,
    format_amount,
    format_mxn,
    importe_con_letra,
    parse_amount,
)

VECTORS = [
    (0, "CERO PESOS 00/100 M.N."),
    (50, "CERO PESOS 50/100 M.N."),
    (1_00, "UN PESO 00/100 M.N."),
    (1_99, "UN PESO 99/100 M.N."),
    (2_00, "DOS PESOS 00/100 M.N."),
    (16_00, "DIECISÉIS PESOS 00/100 M.N."),
    (21_00, "VEINTIÚN PESOS 00/100 M.N."),
    (22_00, "VEINTIDÓS PESOS 00/100 M.N."),
    (31_01, "TREINTA Y UN PESOS 01/100 M.N."),
    (100_00, "CIEN PESOS 00/100 M.N."),
    (101_00, "CIENTO UN PESOS 00/100 M.N."),
    (354_00, "TRESCIENTOS CINCUENTA Y CUATRO PESOS 00/100 M.N."),
    (700_00, "SETECIENTOS PESOS 00/100 M.N."),
    (1_000_00, "MIL PESOS 00/100 M.N."),
    (1_001_00, "MIL UN PESOS 00/100 M.N."),
    (1_095_60, "MIL NOVENTA Y CINCO PESOS 60/100 M.N."),
    (1_200_50, "MIL DOSCIENTOS PESOS 50/100 M.N."),
    (7_236_09, "SIETE MIL DOSCIENTOS TREINTA Y SEIS PESOS 09/100 M.N."),
    (21_000_00, "VEINTIÚN MIL PESOS 00/100 M.N."),
    (100_000_00, "CIEN MIL PESOS 00/100 M.N."),
    (101_000_00, "CIENTO UN MIL PESOS 00/100 M.N."),
    (1_000_000_00, "UN MILLÓN DE PESOS 00/100 M.N."),
    (1_000_001_00, "UN MILLÓN UN PESOS 00/100 M.N."),
    (1_001_000_00, "UN MILLÓN MIL PESOS 00/100 M.N."),
    (2_000_000_00, "DOS MILLONES DE PESOS 00/100 M.N."),
    (2_500_000_00, "DOS MILLONES QUINIENTOS MIL PESOS 00/100 M.N."),
    (21_000_000_00, "VEINTIÚN MILLONES DE PESOS 00/100 M.N."),
    (100_000_000_00, "CIEN MILLONES DE PESOS 00/100 M.N."),
    (
        MAX_CENTAVOS,
        "NOVECIENTOS NOVENTA Y NUEVE MILLONES NOVECIENTOS NOVENTA Y NUEVE MIL"
        " NOVECIENTOS NOVENTA Y NUEVE PESOS 99/100 M.N.",
    ),
]


@pytest.mark.parametrize(("centavos", "words"), VECTORS)
def test_an_amount_in_words_is_the_one_a_cashier_would_write(centavos: int, words: str) -> None:
    assert importe_con_letra(centavos) == words


_VALUES = {
    "CERO": 0, "UN": 1, "DOS": 2, "TRES": 3, "CUATRO": 4, "CINCO": 5, "SEIS": 6, "SIETE": 7,
    "OCHO": 8, "NUEVE": 9, "DIEZ": 10, "ONCE": 11, "DOCE": 12, "TRECE": 13, "CATORCE": 14,
    "QUINCE": 15, "DIECISÉIS": 16, "DIECISIETE": 17, "DIECIOCHO": 18, "DIECINUEVE": 19,
    "VEINTE": 20, "VEINTIÚN": 21, "VEINTIDÓS": 22, "VEINTITRÉS": 23, "VEINTICUATRO": 24,
    "VEINTICINCO": 25, "VEINTISÉIS": 26, "VEINTISIETE": 27, "VEINTIOCHO": 28, "VEINTINUEVE": 29,
    "TREINTA": 30, "CUARENTA": 40, "CINCUENTA": 50, "SESENTA": 60, "SETENTA": 70, "OCHENTA": 80,
    "NOVENTA": 90, "CIEN": 100, "CIENTO": 100, "DOSCIENTOS": 200, "TRESCIENTOS": 300,
    "CUATROCIENTOS": 400, "QUINIENTOS": 500, "SEISCIENTOS": 600, "SETECIENTOS": 700,
    "OCHOCIENTOS": 800, "NOVECIENTOS": 900,
}  # fmt: skip


def _read_words(text: str) -> int:
    """A Spanish number reader that shares nothing with the writer: words in, centavos out."""
    number, _, cents = text.removesuffix("/100 M.N.").rpartition(" ")
    words = number.split()
    assert words.pop() in ("PESO", "PESOS")
    total = group = 0
    for word in words:
        if word in ("MILLÓN", "MILLONES"):
            total, group = (total + group) * 1_000_000, 0
        elif word == "MIL":
            total, group = total + (group or 1) * 1000, 0
        elif word not in ("Y", "DE"):
            group += _VALUES[word]
    return (total + group) * 100 + int(cents)


@given(st.integers(0, MAX_CENTAVOS))
@example(100_100_00)
@settings(max_examples=200)
def test_words_read_back_to_the_same_amount(centavos: int) -> None:
    text = importe_con_letra(centavos)
    assert _read_words(text) == centavos
    assert "UNO" not in text.split()
    assert not text.startswith("UN MIL ")
    assert "  " not in text


def test_every_whole_amount_below_three_thousand_reads_back() -> None:
    assert all(_read_words(importe_con_letra(p * 100)) == p * 100 for p in range(3000))


@pytest.mark.parametrize("centavos", [-1, MAX_CENTAVOS + 1])
def test_an_amount_outside_the_range_has_no_words(centavos: int) -> None:
    with pytest.raises(ValueError, match=r"between 0\.00 and 999,999,999\.99"):
        importe_con_letra(centavos)


@pytest.mark.parametrize(
    ("text", "centavos"),
    [
        ("0", 0),
        ("1200.50", 1_200_50),
        ("1200.5", 1_200_50),
        ("1,200.50", 1_200_50),
        (" $ 1,095.60 ", 1_095_60),
        ("$7", 7_00),
        ("999999999.99", MAX_CENTAVOS),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, centavos: int) -> None:
    assert parse_amount(text) == centavos


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "1.234", "1,2", "1,20,000", "12,00.00", "1e3", "1.", ".5", "1.2.3",
     "1000000000", "١٢", "NaN", "9" * 400],
)  # fmt: skip
def test_a_doubtful_amount_is_refused_and_never_rounded(text: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(text)


@given(st.integers(0, MAX_CENTAVOS))
def test_what_is_written_reads_back(centavos: int) -> None:
    assert parse_amount(format_amount(centavos)) == centavos
    assert parse_amount(format_mxn(centavos)) == centavos


def test_a_discount_keeps_its_sign() -> None:
    assert format_amount(-273_90) == "-273.90"
    assert format_mxn(-5) == "-$ 0.05"
    assert format_mxn(1_095_60) == "$ 1,095.60"
