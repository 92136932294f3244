"""What a property owes: the worked liquidaciones to the cent, and what must hold for all of them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.perfil import AccountTax, Perfil, parse_account_tax, parse_perfil
from municipio.predial import compute_liquidacion, decode_liquidacion, encode_liquidacion

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "ejemplos"
JANUARY_20 = date(2026, 1, 20)
PERFIL = parse_perfil(tomllib.loads((EXAMPLES / "perfil-demo.toml").read_text("utf-8")))


def account(name: str) -> AccountTax:
    return parse_account_tax(tomllib.loads((EXAMPLES / f"{name}.toml").read_text("utf-8")))


def owing(*years: tuple[int, int], benefit: str = "", value: int | None = None) -> AccountTax:
    return AccountTax("1" * 22, dict(years), benefit, value)


def test_four_years_of_debt_are_the_worked_example_to_the_cent() -> None:
    found = compute_liquidacion(PERFIL, account("cuenta-rezago"), JANUARY_20)
    columns = [
        (r.year, r.tax_centavos, r.adicional_centavos, r.factor, r.update_centavos, r.months,
         r.surcharge_centavos, r.discount_centavos, r.subtotal_centavos)
        for r in found.rows
    ]  # fmt: skip
    assert columns == [
        (2023, 1_100_00, 110_00, "1.1309", 143_99, 36, 895_67, 0, 2_249_66),
        (2024, 1_150_00, 115_00, "1.0805", 92_58, 24, 596_44, 0, 1_954_02),
        (2025, 1_200_00, 120_00, "1.0369", 44_28, 12, 298_63, 0, 1_662_91),
        (2026, 1_245_00, 124_50, "1", 0, 0, 0, 0, 1_369_50),
    ]
    assert found.total_centavos == 7_236_09
    assert found.benefit == ""
    assert found.valid_until == date(2026, 1, 31)


def test_who_is_up_to_date_gets_the_january_discount() -> None:
    found = compute_liquidacion(PERFIL, account("cuenta-al-corriente"), JANUARY_20)
    assert (found.discount_centavos, found.total_centavos) == (273_90, 1_095_60)
    assert found.benefit_label == "Descuento enero 20 %"


def test_a_pensioner_gets_half_and_not_half_and_a_fifth() -> None:
    current = account("cuenta-al-corriente")
    asked = compute_liquidacion(PERFIL, current, JANUARY_20, pensioner=True)
    registered = compute_liquidacion(PERFIL, replace(current, benefit="pensionado"), JANUARY_20)
    assert asked == registered
    assert (asked.total_centavos, asked.benefit) == (684_75, "pensionado")


def test_a_pensioner_with_debt_of_earlier_years_gets_no_discount() -> None:
    found = compute_liquidacion(PERFIL, account("cuenta-rezago"), JANUARY_20, pensioner=True)
    assert found.total_centavos == 7_236_09


def test_on_the_minimum_quota_only_the_january_discount_applies() -> None:
    minimum = owing((2026, 354_00))
    found = compute_liquidacion(PERFIL, minimum, JANUARY_20, pensioner=True)
    assert found.benefit == "pronto_pago"
    assert found.total_centavos == 389_40 - 77_88
    in_march = compute_liquidacion(PERFIL, minimum, date(2026, 3, 2), pensioner=True)
    assert in_march.benefit == ""


def test_a_tax_below_the_minimum_quota_is_raised_to_it() -> None:
    assert (
        compute_liquidacion(PERFIL, owing((2026, 100_00)), JANUARY_20).rows[0].tax_centavos
        == 354_00
    )


def test_a_capped_benefit_needs_a_known_value_under_the_cap() -> None:
    def total(value: int | None) -> int:
        senior = owing((2026, 1_245_00), benefit="mayor_60", value=value)
        return compute_liquidacion(PERFIL, senior, JANUARY_20).total_centavos

    assert total(589_490_51) == 684_75
    assert total(589_490_52) == 1_095_60
    assert total(None) == 1_095_60


def test_the_january_discount_ends_with_january_unless_the_cabildo_extends_it() -> None:
    current = account("cuenta-al-corriente")
    february = compute_liquidacion(PERFIL, current, date(2026, 2, 1))
    assert february.benefit == ""
    assert february.rows[0].months == 1
    assert PERFIL.early is not None
    window = replace(PERFIL.early.window, extended={2026: (2, 15)})
    extended = replace(PERFIL, early=replace(PERFIL.early, window=window))
    found = compute_liquidacion(extended, current, date(2026, 2, 1))
    assert found.benefit == "pronto_pago"
    assert found.valid_until == date(2026, 2, 15)
    assert compute_liquidacion(extended, current, date(2026, 2, 16)).valid_until == date(
        2026, 2, 28
    )


def test_an_account_with_nothing_to_pay_has_no_rows() -> None:
    for paid in (owing(), owing((2026, 0)), owing((2027, 900_00))):
        found = compute_liquidacion(PERFIL, paid, JANUARY_20)
        assert (found.rows, found.total_centavos, found.benefit) == ((), 0, "")


def test_the_same_question_has_the_same_id_and_another_question_another() -> None:
    first = compute_liquidacion(PERFIL, account("cuenta-rezago"), JANUARY_20)
    assert first == compute_liquidacion(PERFIL, account("cuenta-rezago"), JANUARY_20)
    assert first.id != compute_liquidacion(PERFIL, account("cuenta-rezago"), date(2026, 1, 21)).id


def test_a_month_whose_index_is_not_published_uses_the_last_one() -> None:
    known = {m: i for m, i in PERFIL.inpc.items() if m <= (2025, 12)}
    late = replace(PERFIL, inpc=known)
    may, january = (
        compute_liquidacion(late, owing((2025, 1_200_00)), day).rows[0].factor
        for day in (date(2026, 5, 4), JANUARY_20)
    )
    assert may == january == "1.0369"
    assert compute_liquidacion(late, owing((2027, 900_00)), date(2027, 4, 1)).rows[0].factor == "1"


def test_falling_prices_never_lower_a_debt() -> None:
    falling = replace(PERFIL, inpc={**PERFIL.inpc, (2026, 1): PERFIL.inpc[2020, 12]})
    found = compute_liquidacion(falling, owing((2026, 1_245_00)), date(2026, 2, 3))
    assert (found.rows[0].factor, found.rows[0].update_centavos) == ("1", 0)


def test_a_debt_older_than_the_indices_names_the_missing_month() -> None:
    with pytest.raises(ValueError, match=r"lacks 2009-12, needed for 2010"):
        compute_liquidacion(PERFIL, owing((2010, 900_00)), JANUARY_20)


def test_an_unknown_benefit_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="has no benefit «nadie»"):
        compute_liquidacion(PERFIL, owing((2026, 900_00), benefit="nadie"), JANUARY_20)
    without = replace(PERFIL, pensioner_code="")
    with pytest.raises(ValueError, match="no benefit for pensioners"):
        compute_liquidacion(without, owing((2026, 900_00)), JANUARY_20, pensioner=True)


days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
taxes = st.dictionaries(st.integers(2021, 2028), st.integers(0, 5_000_000), max_size=7)
benefits = st.sampled_from(["", *PERFIL.benefits])
accounts = st.builds(
    AccountTax, st.just("1" * 22), taxes, benefits, st.none() | st.integers(0, 10**8)
)


@given(accounts, days)
@settings(max_examples=200, deadline=None)
def test_every_liquidacion_adds_up_and_survives_its_codec(debt: AccountTax, on: date) -> None:
    found = compute_liquidacion(PERFIL, debt, on)
    assert decode_liquidacion(encode_liquidacion(found)) == found
    for row in found.rows:
        assert row.discount_centavos <= row.tax_centavos + row.adicional_centavos
        assert row.tax_centavos >= PERFIL.minimum(row.year)
        assert min(row.update_centavos, row.surcharge_centavos, row.months) >= 0
    assert [row.year for row in found.rows] == sorted({row.year for row in found.rows})
    assert all(row.discount_centavos == 0 for row in found.rows if row.year != on.year)


@given(accounts, days)
@settings(max_examples=100, deadline=None)
def test_the_amount_does_not_change_while_the_liquidacion_is_valid(
    debt: AccountTax, on: date
) -> None:
    found = compute_liquidacion(PERFIL, debt, on)
    assert on <= found.valid_until
    assert found.valid_until.month == on.month
    day = on
    while day <= found.valid_until:
        assert compute_liquidacion(PERFIL, debt, day).rows == found.rows
        day += timedelta(days=1)


@given(accounts, days, st.integers(1, 900))
@settings(max_examples=100, deadline=None)
def test_waiting_never_makes_a_debt_smaller(debt: AccountTax, on: date, wait: int) -> None:
    """With steady prices, for the years already owed on the first day."""
    steady: Perfil = replace(PERFIL, inpc=dict.fromkeys(PERFIL.inpc, PERFIL.inpc[2025, 12]))
    owed = replace(debt, annual_tax_centavos={
        y: t for y, t in debt.annual_tax_centavos.items() if y <= on.year})  # fmt: skip
    now = compute_liquidacion(steady, owed, on)
    later = compute_liquidacion(steady, owed, on + timedelta(days=wait))
    assert later.total_centavos >= now.total_centavos


@given(accounts, days)
@settings(max_examples=100, deadline=None)
def test_a_benefit_never_makes_a_debt_larger(debt: AccountTax, on: date) -> None:
    without = compute_liquidacion(PERFIL, replace(debt, benefit=""), on)
    assert compute_liquidacion(PERFIL, debt, on).total_centavos <= without.total_centavos
