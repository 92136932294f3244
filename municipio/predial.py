"""Predial: what a property owes on a day, computed by the city from its perfil hacendario.

Kiosks never compute: they check what the city signed (`municipio.liquidacion`). All amounts are
centavos, every concept is rounded half up by itself, and the update factor is truncated.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from municipio.liquidacion import (
    BadSignature,
    Expired,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    TimeUnsure,
    Usable,
    Verdict,
    check_liquidacion,
    decode_liquidacion,
    encode_liquidacion,
)
from municipio.perfil import (
    AccountTax,
    Discount,
    Perfil,
    parse_account_tax,
    parse_perfil,
)

__all__ = [
    "Account",
    "AccountTax",
    "BadSignature",
    "Expired",
    "Liquidacion",
    "LiquidacionRow",
    "Perfil",
    "SignedLiquidacion",
    "TimeUnsure",
    "Usable",
    "Verdict",
    "check_liquidacion",
    "compute_liquidacion",
    "decode_liquidacion",
    "encode_liquidacion",
    "parse_account_tax",
    "parse_perfil",
]

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Account:
    """What a screen may show of a property: no name, no number of the house, no cadastral value.

    `owner_masked` holds initials (`M. L. H.`), `kind` is `urbano` or `rustico`, `benefit` the code of
    a benefit that Tesorería has registered (empty: none).
    """

    clave: str
    owner_masked: str
    street: str
    colonia: str
    kind: str
    benefit: str = ""


def compute_liquidacion(
    perfil: Perfil, account: AccountTax, on: date, *, pensioner: bool = False
) -> Liquidacion:
    """What `account` owes when paid on `on`. `pensioner` asks what that benefit would give.

    Raises ValueError when the profile lacks an index value or a benefit that the account names.
    """
    benefit = _benefit_of(perfil, account, pensioner)
    years = sorted(y for y, tax in account.annual_tax_centavos.items() if tax and y <= on.year)
    discount = _best_discount(perfil, account, on, benefit, up_to_date=years == [on.year])
    rows = tuple(
        _row(perfil, year, account.annual_tax_centavos[year], on,
             discount.percent if discount and year == on.year else Decimal(0))
        for year in years
    )  # fmt: skip
    draft = Liquidacion(
        id="-",
        clave=account.clave,
        issued_on=on,
        valid_until=_valid_until(perfil, on, benefit),
        rows=rows,
        total_centavos=sum(row.subtotal_centavos for row in rows),
        benefit=discount.code if discount else "",
        perfil=perfil.name,
        benefit_label=discount.label if discount else "",
    )
    digest = hashlib.sha256(encode_liquidacion(draft)).hexdigest()[:12].upper()
    return replace(draft, id=f"L{on:%Y%m%d}-{digest}")


def _benefit_of(perfil: Perfil, account: AccountTax, pensioner: bool) -> Discount | None:
    code = perfil.pensioner_code if pensioner else account.benefit
    if pensioner and not code:
        raise ValueError(f"perfil «{perfil.name}» has no benefit for pensioners")
    if code and code not in perfil.benefits:
        raise ValueError(f"perfil «{perfil.name}» has no benefit «{code}»")
    return perfil.benefits[code] if code else None


def _best_discount(
    perfil: Perfil, account: AccountTax, on: date, benefit: Discount | None, *, up_to_date: bool
) -> Discount | None:
    """The one largest discount that applies: discounts are not cumulative."""
    applicable = [
        d
        for d in (perfil.early, benefit)
        if d is not None and _applies(d, perfil, account, on, up_to_date)
    ]
    return max(applicable, key=lambda d: d.percent, default=None)


def _applies(
    discount: Discount, perfil: Perfil, account: AccountTax, on: date, up_to_date: bool
) -> bool:
    tax = account.annual_tax_centavos.get(on.year, 0)
    if not tax or not discount.window.covers(on) or (discount.needs_up_to_date and not up_to_date):
        return False
    if discount.needs_above_minimum and tax <= perfil.minimum(on.year):
        return False
    cap = discount.max_value_centavos
    # A cap needs a known value: without one the discount is Tesorería's decision, not ours.
    return cap is None or (account.value_centavos is not None and account.value_centavos <= cap)


def _row(
    perfil: Perfil, year: int, annual_centavos: int, on: date, discount_percent: Decimal
) -> LiquidacionRow:
    tax = max(annual_centavos, perfil.minimum(year))
    adicional = _percent_of(tax, perfil.adicional_percent)
    factor = _update_factor(perfil, year, on)
    update = _half_up(tax * (factor - _ONE))
    months = _surcharge_months(perfil, year, on)
    surcharge = _percent_of(tax + update, perfil.surcharge_percent * months)
    discount = _percent_of(tax + adicional, discount_percent)
    return LiquidacionRow(
        year=year,
        tax_centavos=tax,
        adicional_centavos=adicional,
        factor="1" if factor == _ONE else str(factor),
        update_centavos=update,
        months=months,
        surcharge_centavos=surcharge,
        discount_centavos=discount,
        subtotal_centavos=tax + adicional + update + surcharge - discount,
    )


def _half_up(centavos: Decimal) -> int:
    return int(centavos.quantize(_ONE, rounding=ROUND_HALF_UP))


def _percent_of(centavos: int, percent: Decimal) -> int:
    return _half_up(centavos * percent / 100)


def _surcharge_months(perfil: Perfil, year: int, on: date) -> int:
    """Months begun since the debt of `year` fell due; a fraction of a month counts as one."""
    begun = (on.year - year) * 12 + on.month - perfil.surcharge_first_month + 1
    return min(max(begun, 0), perfil.surcharge_max_months)


def _update_factor(perfil: Perfil, year: int, on: date) -> Decimal:
    """INPC of the month before payment over that of the month before the debt fell due.

    Truncated, and never below 1. When the newest index is not published, the last published one
    counts (Código Fiscal de la Federación, art. 17-A).
    """
    paid = _month_before((on.year, on.month))
    due = _month_before((year, 1))
    last = max(perfil.inpc, default=due)
    if paid <= due or last <= due:
        return _ONE
    base = perfil.inpc.get(due)
    if base is None:
        raise ValueError(f"«actualizacion.inpc» lacks {due[0]}-{due[1]:02d}, needed for {year}")
    newest = perfil.inpc.get(paid) or perfil.inpc[max(m for m in perfil.inpc if m <= paid)]
    step = _ONE.scaleb(-perfil.factor_decimals)
    return max((newest / base).quantize(step, rounding=ROUND_DOWN), _ONE)


def _month_before(month: tuple[int, int]) -> tuple[int, int]:
    year, number = month
    return (year, number - 1) if number > 1 else (year - 1, 12)


def _valid_until(perfil: Perfil, on: date, benefit: Discount | None) -> date:
    """The last day before the amount may change: end of the month, or of a discount's window."""
    first_of_next = (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = first_of_next - timedelta(days=1)
    for discount in (perfil.early, benefit):
        if discount is not None:
            opens, closes = discount.window.bounds(on.year)
            changes = [closes] if on <= closes else []
            changes += [opens - timedelta(days=1)] if on < opens else []
            last = min([last, *changes])
    return last
