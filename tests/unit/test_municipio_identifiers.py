"""What people type: claves, folios, CURP and RFC."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from municipio.facts import Lane
from municipio.identifiers import (
    Clave,
    ClaveProblem,
    ClaveTrouble,
    Folio,
    FolioProblem,
    FolioTrouble,
    PersonId,
    PersonIdProblem,
    accepted_lengths,
    check_curp,
    check_rfc,
    make_folio,
    parse_clave,
    parse_folio,
    parse_mask,
)

VERACRUZ = "2-3-3-2-3-3-2-3-1"
PRINTED = "06-200-001-01-023-005-00-000-7"
DIGITS = "0620000101023005000007"


@pytest.mark.parametrize("text", [PRINTED, DIGITS, PRINTED.replace("-", " "), f"  {PRINTED} ",
                                  PRINTED.replace("-", "–")])  # fmt: skip
def test_a_clave_is_read_however_it_is_written(text: str) -> None:
    assert parse_clave(text, VERACRUZ) == Clave(DIGITS, PRINTED)


def test_the_short_forms_are_accepted_in_their_own_groups() -> None:
    assert parse_clave("0010102300500000", VERACRUZ) == Clave(
        "0010102300500000", "001-01-023-005-00-000"
    )
    assert parse_clave("00101023005000001", VERACRUZ) == Clave(
        "00101023005000001", "001-01-023-005-00-000-1"
    )


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("", ClaveTrouble.EMPTY),
        (" - ", ClaveTrouble.EMPTY),
        ("06-200-A01", ClaveTrouble.NOT_DIGITS),
        ("٠٦٢٠٠٠", ClaveTrouble.NOT_DIGITS),
        ("123", ClaveTrouble.TOO_SHORT),
        ("1" * 19, ClaveTrouble.LENGTH),
        ("1" * 23, ClaveTrouble.TOO_LONG),
    ],
)
def test_a_clave_that_cannot_be_one_says_why(text: str, trouble: ClaveTrouble) -> None:
    problem = parse_clave(text, VERACRUZ)
    assert isinstance(problem, ClaveProblem)
    assert problem.trouble is trouble
    assert problem.accepted == (16, 17, 22)
    assert str(problem)


def test_no_check_digit_is_invented() -> None:
    assert all(isinstance(parse_clave(DIGITS[:-1] + d, VERACRUZ), Clave) for d in "0123456789")


def test_another_citys_mask_accepts_only_its_own_length() -> None:
    assert accepted_lengths("2-3-3-4-6") == (18,)
    assert parse_clave("270040120010000015", "2-3-3-4-6") == Clave(
        "270040120010000015", "27-004-012-0010-000015"
    )
    assert isinstance(parse_clave(DIGITS, "2-3-3-4-6"), ClaveProblem)


@pytest.mark.parametrize("mask", ["", "2-", "2-0", "a", "2--3", "200"])
def test_a_wrong_mask_is_an_error_of_configuration(mask: str) -> None:
    with pytest.raises(ValueError, match="is not a mask"):
        parse_mask(mask)


@given(st.text("0123456789", min_size=22, max_size=22))
@settings(max_examples=50)
def test_the_printed_form_reads_back_with_its_leading_zeros(digits: str) -> None:
    found = parse_clave(digits, VERACRUZ)
    assert isinstance(found, Clave)
    assert parse_clave(found.formatted, VERACRUZ) == found
    assert found.digits == digits


nodes = st.from_regex(r"[A-Z]{3}[0-9]{3}", fullmatch=True)


@given(nodes, st.sampled_from(Lane), st.integers(1, 99), st.integers(1, 10_000_000))
def test_a_folio_reads_back(node: str, lane: Lane, epoch: int, seq: int) -> None:
    text = make_folio(node, lane, epoch, seq)
    assert parse_folio(text) == Folio(node, lane, epoch, seq, text)
    assert parse_folio(f" {text.lower()} ") == parse_folio(text)


@given(nodes, st.sampled_from(Lane), st.integers(1, 99), st.integers(1, 999_999))
def test_a_folio_can_be_typed_without_dashes_and_with_look_alikes(
    node: str, lane: Lane, epoch: int, seq: int
) -> None:
    text = make_folio(node, lane, epoch, seq)
    assert parse_folio(text.replace("-", "")) == parse_folio(text)
    head, check = text[:-1], text[-1]
    typed = head[:3] + head[3:].replace("0", "o").replace("1", "l") + check
    assert parse_folio(typed) == parse_folio(text)


@given(nodes, st.integers(1, 999_999), st.data())
def test_a_single_wrong_digit_in_a_folio_is_noticed(
    node: str, seq: int, data: st.DataObject
) -> None:
    text = make_folio(node, Lane.REP, 1, seq)
    at = data.draw(st.sampled_from([i for i, c in enumerate(text[:-1]) if c.isdigit()]))
    wrong = data.draw(st.sampled_from("0123456789".replace(text[at], "")))
    assert isinstance(parse_folio(text[:at] + wrong + text[at + 1 :]), FolioProblem)


def test_the_folio_is_the_documented_one() -> None:
    assert make_folio("COA007", Lane.REP, 1, 123) == "COA007-R1-000123-E"
    assert make_folio("COA007", Lane.PAY, 12, 1_234_567).startswith("COA007-P12-1234567-")


@pytest.mark.parametrize(
    "text", ["", "x", "COA007-R1-000123", "COA007-X1-000123-E", "COA007-R0-000123-E",
             "COA007-R1-000000-E", "COA07-R1-000123-E", "9" * 500,
             "COA007-R" + "1" * 6000 + "-000123-E", "COA007-R1-" + "1" * 99 + "-E"]
)  # fmt: skip
def test_what_has_no_folios_shape_is_refused(text: str) -> None:
    assert isinstance(parse_folio(text), FolioProblem)


def test_a_wrong_check_character_is_told_apart_from_a_wrong_shape() -> None:
    assert parse_folio("COA007-R1-000123-F") == FolioProblem(FolioTrouble.CHECK)
    assert parse_folio("hola") == FolioProblem(FolioTrouble.SHAPE)
    assert "COA007" in str(FolioProblem(FolioTrouble.SHAPE))
    assert "last character" in str(FolioProblem(FolioTrouble.CHECK))


@pytest.mark.parametrize(("node", "epoch", "seq"), [("CO007", 1, 1), ("COA007", 0, 1),
                                                    ("COA007", 1, 0), ("coa007", 1, 1)])  # fmt: skip
def test_a_folio_that_cannot_exist_is_a_programmers_error(node: str, epoch: int, seq: int) -> None:
    with pytest.raises(ValueError):
        make_folio(node, Lane.REP, epoch, seq)


def test_a_curp_must_have_its_check_digit() -> None:
    assert check_curp("boxw310820hnerxn09") == PersonId("BOXW310820HNERXN09")
    assert isinstance(check_curp("BOXW310820HNERXN08"), PersonIdProblem)
    assert isinstance(check_curp(""), PersonIdProblem)


def test_a_wrong_rfc_check_digit_is_only_a_warning() -> None:
    assert check_rfc("GODE561231GR8") == PersonId("GODE561231GR8")
    assert check_rfc("gode561231gr9") == PersonId("GODE561231GR9", doubtful=True)


@pytest.mark.parametrize("text", ["", "GODE", "GODE561331GR8", "!!!!561231GR8"])
def test_what_cannot_be_an_rfc_is_refused(text: str) -> None:
    assert isinstance(check_rfc(text), PersonIdProblem)


@given(
    st.from_regex(r"[A-Z]{3}[0-9]{3}", fullmatch=True),
    st.sampled_from(list(Lane)),
    st.integers(1, 10**9),
    st.integers(1, 2**53),
)
@settings(max_examples=200, deadline=None)
def test_the_check_character_is_that_of_iso_7064(
    node: str, lane: Lane, epoch: int, seq: int
) -> None:
    folio = make_folio(node, lane, epoch, seq)
    assert mod_37_36.is_valid(folio.replace("-", ""))
