"""Reference numbers: published and recomputed vectors, and what the algorithms really promise."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from municipio.references import (
    ReferenceProblem,
    base_10,
    bbva_10,
    check_bbva_10,
    check_oxxo_25,
    clabe_check_digit,
    collection_reference,
    condensed_amount,
    condensed_date,
    modulo_97,
    oxxo_25,
    parse_clabe,
    read_condensed_date,
)

JANUARY_31 = date(2026, 1, 31)
digits = st.text("0123456789", min_size=1, max_size=12)
amounts = st.integers(1, 99_999_999_999)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (1_095_60, "039000123444947220"),
        (684_75, "039000123444944278"),
        (7_236_09, "039000123444943265"),
    ],
)
def test_bank_reference_of_the_worked_liquidaciones(amount: int, expected: str) -> None:
    assert bbva_10("0390001234", amount, JANUARY_31, 2014, 2) == expected


def test_bank_reference_of_the_published_example_with_the_old_base_year() -> None:
    due = date(1997, 5, 23)
    assert condensed_date(due, 1988) == 3494
    assert condensed_amount(4_256_50) == 6
    assert bbva_10("067591119700", 4_256_50, due, 1988, 2) == "06759111970034946226"


def test_the_same_reference_with_base_year_2013() -> None:
    assert bbva_10("067591119700", 4_256_50, JANUARY_31, 2013, 2) == "06759111970048666209"


def test_oxxo_code_of_the_worked_liquidacion() -> None:
    assert oxxo_25("09", "0390001234", 1_095_60, JANUARY_31) == "0903900012342601311095608"


@pytest.mark.parametrize(
    ("amount", "digit"), [(1, 7), (10, 3), (100, 1), (354_00, 8), (1_234_56, 9), (9_999_99, 8)]
)
def test_condensed_amount(amount: int, digit: int) -> None:
    assert condensed_amount(amount) == digit


@pytest.mark.parametrize(
    ("base_year", "last"),
    [(1988, date(2014, 11, 18)), (2013, date(2039, 11, 18)), (2014, date(2040, 11, 18))],
)
def test_four_digits_of_date_end_on_a_known_day(base_year: int, last: date) -> None:
    assert condensed_date(last, base_year) == 9999
    assert read_condensed_date(9999, base_year) == last
    with pytest.raises(ReferenceProblem, match="does not fit four digits"):
        condensed_date(last + timedelta(days=1), base_year)


def test_a_date_before_the_base_year_is_refused() -> None:
    with pytest.raises(ReferenceProblem, match="2013-12-31 does not fit"):
        bbva_10("1", 100, date(2013, 12, 31), 2014, 2)


@given(st.dates(date(2014, 1, 1), date(2040, 11, 18)))
def test_a_condensed_date_reads_back(day: date) -> None:
    assert read_condensed_date(condensed_date(day, 2014), 2014) == day


@pytest.mark.parametrize("number", [-1, 10_000, 30 + 31])
def test_a_number_that_is_no_day_is_refused(number: int) -> None:
    """30 + 31 is the 31st of February: every month has 31 numbers, not 31 days."""
    with pytest.raises(ReferenceProblem):
        read_condensed_date(number, 2014)


@given(digits, amounts, st.dates(date(2014, 1, 1), date(2040, 11, 18)), st.integers(0, 9))
def test_a_bank_reference_checks_itself(ref: str, amount: int, due: date, constant: int) -> None:
    code = bbva_10(ref, amount, due, 2014, constant)
    assert code.startswith(ref)
    assert len(code) == len(ref) + 8
    assert check_bbva_10(code)


@given(digits, amounts, st.data())
def test_modulo_97_sees_every_single_wrong_digit(
    ref: str, amount: int, data: st.DataObject
) -> None:
    """A change of one digit moves the sum by at most 9 * 23 and never by a multiple of 97."""
    code = bbva_10(ref, amount, JANUARY_31, 2014, 2)
    at = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from("0123456789".replace(code[at], "")))
    assert not check_bbva_10(code[:at] + wrong + code[at + 1 :])


@given(st.text("0123456789", min_size=10, max_size=10), st.integers(1, 999_999), st.data())
def test_base_10_sees_every_single_wrong_digit(ref: str, amount: int, data: st.DataObject) -> None:
    code = oxxo_25("09", ref, amount, JANUARY_31)
    assert check_oxxo_25(code)
    at = data.draw(st.integers(0, 24))
    wrong = data.draw(st.sampled_from("0123456789".replace(code[at], "")))
    assert not check_oxxo_25(code[:at] + wrong + code[at + 1 :])


def test_base_10_does_not_see_09_turned_into_90() -> None:
    """The known blind spot of doubling with added digits, so nobody relies on it."""
    assert base_10("09") == base_10("90")


@given(st.text("0123456789", min_size=17, max_size=17), st.data())
def test_a_clabe_sees_every_single_wrong_digit(head: str, data: st.DataObject) -> None:
    clabe = f"{head}{clabe_check_digit(head)}"
    assert parse_clabe(clabe) == clabe
    at = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from("0123456789".replace(clabe[at], "")))
    with pytest.raises(ReferenceProblem, match="check digit should be"):
        parse_clabe(clabe[:at] + wrong + clabe[at + 1 :])


@pytest.mark.parametrize("clabe", ["032180000118359719", "002000000000000008"])
def test_known_clabes_hold(clabe: str) -> None:
    assert parse_clabe(f"{clabe[:3]} {clabe[3:6]}-{clabe[6:]}") == clabe


@pytest.mark.parametrize(
    "text", ["", "03218000011835971", "0321800001183597190", "03218000011835971X"]
)
def test_a_text_that_cannot_be_a_clabe_is_refused(text: str) -> None:
    with pytest.raises(ReferenceProblem, match="CLABE"):
        parse_clabe(text)


def test_oxxo_takes_9999_99_and_not_a_centavo_more() -> None:
    assert oxxo_25("09", "0390001234", 999_999, JANUARY_31)[18:24] == "999999"
    with pytest.raises(ReferenceProblem, match=r"OXXO takes up to 9,999\.99"):
        oxxo_25("09", "0390001234", 1_000_000, JANUARY_31)


@pytest.mark.parametrize(
    ("prefix", "ref", "amount", "due", "message"),
    [
        ("9", "0390001234", 100, JANUARY_31, "prefix «9» has 1 digits, it must have 2"),
        ("A9", "0390001234", 100, JANUARY_31, "prefix «A9» must have digits only"),
        ("09", "039000123", 100, JANUARY_31, "it must have 10"),
        ("09", "039000123X", 100, JANUARY_31, "must have digits only"),
        ("09", "0390001234", 0, JANUARY_31, "more than 0.00"),
        ("09", "0390001234", 100, date(1999, 1, 1), "two-digit year"),
    ],
)
def test_oxxo_says_which_part_is_wrong(
    prefix: str, ref: str, amount: int, due: date, message: str
) -> None:
    with pytest.raises(ReferenceProblem, match=message):
        oxxo_25(prefix, ref, amount, due)


@pytest.mark.parametrize(
    ("ref", "amount", "constant", "message"),
    [
        ("", 100, 2, "digits only"),
        ("1234567890123", 100, 2, "1 to 12"),
        ("١٢", 100, 2, "digits only"),
        ("1", 0, 2, "more than 0.00"),
        ("1", -1, 2, "more than 0.00"),
        ("1", 100, 10, "constant 10"),
        ("1", 100, -1, "constant -1"),
    ],
)
def test_the_bank_reference_says_which_part_is_wrong(
    ref: str, amount: int, constant: int, message: str
) -> None:
    with pytest.raises(ReferenceProblem, match=message):
        bbva_10(ref, amount, JANUARY_31, 2014, constant)


@pytest.mark.parametrize("text", ["", "12345678", "x" * 18, "1" * 21])
def test_what_is_no_reference_does_not_check(text: str) -> None:
    assert not check_bbva_10(text)
    assert not check_oxxo_25(text)


def test_modulo_97_stays_between_1_and_97() -> None:
    assert {modulo_97(str(n)) for n in range(5000)} == set(range(1, 98))


def test_each_pase_of_a_node_has_its_own_reference() -> None:
    assert collection_reference("039", 7, 123) == "0390070123"
    every = {collection_reference("039", node, seq) for node in (1, 7) for seq in range(1, 10_001)}
    assert len(every) == 20_000


@pytest.mark.parametrize(("prefix", "node", "seq"), [("", 1, 1), ("03900", 1, 1), ("039", 0, 1),
                                                     ("039", 1000, 1), ("039", 1, 0)])  # fmt: skip
def test_a_reference_that_cannot_be_made_is_refused(prefix: str, node: int, seq: int) -> None:
    with pytest.raises(ReferenceProblem):
        collection_reference(prefix, node, seq)
