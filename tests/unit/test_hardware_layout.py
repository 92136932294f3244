"""Words on narrow paper: nothing is lost, nothing leaves the margin."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.printer.layout import balanced, check, pair, wrap

WORDS = st.text(alphabet="abcñé 0123456789", max_size=120)
COLUMNS = st.integers(min_value=8, max_value=64)


@settings(max_examples=150, deadline=None)
@given(WORDS, COLUMNS)
def test_wrapping_keeps_every_character_within_the_columns(text: str, columns: int) -> None:
    rows = wrap(text, columns)

    assert all(len(row) <= columns for row in rows)
    assert "".join("".join(rows).split()) == "".join(text.split())


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS, COLUMNS)
def test_a_pair_never_cuts_its_value(label: str, value: str, columns: int) -> None:
    rows = pair(label, value, columns)

    assert all(len(row) <= columns for row in rows)
    assert "".join("".join(rows).split()) == "".join((label + value).split())


def test_a_value_ends_at_the_right_margin_beside_the_last_row_of_a_long_label() -> None:
    rows = pair("Descuento enero 20 %, artículo 118 del Código", "-273.90", 48)

    assert rows == [
        "Descuento enero 20 %,",
        "artículo 118 del Código                  -273.90",
    ]


def test_a_value_too_wide_for_its_label_gets_its_own_row() -> None:
    assert pair("Clave", "06-200-001-01-023-005-00-000-7", 32) == [
        "Clave",
        "  06-200-001-01-023-005-00-000-7",
    ]


def test_centred_text_leaves_no_word_alone() -> None:
    assert balanced("MIL NOVENTA Y CINCO PESOS 60/100 M.N.", 32) == [
        "MIL NOVENTA Y CINCO",
        "PESOS 60/100 M.N.",
    ]


def test_a_requirement_hangs_beside_its_box() -> None:
    assert check("Identificación oficial vigente", "Original y 1 copia", 24) == [
        "[ ] Identificación",
        "    oficial vigente",
        "    Original y 1 copia",
    ]
