"""Perfil hacendario: a municipality's predial rules as data, with the legal source of each rule.

Documents come from TOML files that the caller has read (best with `parse_float=str`, so that 1.10
stays exact). Percentages, factors and index values are decimal text or integers, amounts are pesos.
An unknown key, a missing one or a rule without its `fundamento` is a ValueError that names it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from municipio.money import parse_amount

_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the year on which a discount is given, as (month, day) pairs, both included.

    `extended` holds the last day of single years for which the cabildo moved it.
    """

    first: tuple[int, int]
    last: tuple[int, int]
    extended: Mapping[int, tuple[int, int]]

    def bounds(self, year: int) -> tuple[date, date]:
        """First and last day in `year`; 29 February means the last of the month in other years."""
        return _day_of(year, self.first), _day_of(year, self.extended.get(year, self.last))

    def covers(self, day: date) -> bool:
        first, last = self.bounds(day.year)
        return first <= day <= last


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on tax and adicional of the current year. Discounts never add up."""

    code: str
    label: str
    percent: Decimal
    window: Window
    needs_up_to_date: bool
    needs_above_minimum: bool
    max_value_centavos: int | None
    legal: str


@dataclass(frozen=True, slots=True)
class Perfil:
    """The rules of one municipality. `legal` maps each rule's name to its citation."""

    name: str
    adicional_percent: Decimal
    surcharge_percent: Decimal
    surcharge_first_month: int
    surcharge_max_months: int
    factor_decimals: int
    inpc: Mapping[tuple[int, int], Decimal]
    minimum_centavos: Mapping[int, int]
    early: Discount | None
    benefits: Mapping[str, Discount]
    pensioner_code: str
    legal: Mapping[str, str]

    def minimum(self, year: int) -> int:
        """The minimum annual quota of a year in centavos; 0 when the profile sets none."""
        return self.minimum_centavos.get(year, 0)


@dataclass(frozen=True, slots=True)
class AccountTax:
    """What the city knows of an account to settle it: annual tax in centavos per unpaid year.

    `benefit` is the code of a benefit that Tesorería has registered. The cadastral value never
    leaves the city; it only decides benefits that have a cap.
    """

    clave: str
    annual_tax_centavos: Mapping[int, int]
    benefit: str = ""
    value_centavos: int | None = None


def parse_perfil(document: Mapping[str, Any]) -> Perfil:
    """Read a perfil hacendario. Raises ValueError that names the key."""
    top = _Table(document, "")
    adicional, surcharge = top.table("adicional"), top.table("recargos")
    update, minimum = top.table("actualizacion"), top.table("cuota_minima")
    early = top.table("pronto_pago") if top.has("pronto_pago") else None
    benefits = [_discount(t, t.text("codigo")) for t in top.tables("beneficios")]
    tables = {"adicional": adicional, "recargos": surcharge, "actualizacion": update,
              "cuota_minima": minimum}  # fmt: skip
    perfil = Perfil(
        name=top.text("nombre"),
        adicional_percent=adicional.decimal("porcentaje"),
        surcharge_percent=surcharge.decimal("porcentaje_mensual"),
        surcharge_first_month=surcharge.whole("desde_mes", 1, 12),
        surcharge_max_months=surcharge.whole("meses_maximo", 0, 1200),
        factor_decimals=update.whole("decimales_factor", 0, 6),
        inpc=update.months("inpc"),
        minimum_centavos=minimum.amounts_by_year("por_anio"),
        early=None if early is None else _discount(early, "pronto_pago"),
        benefits={b.code: b for b in benefits},
        pensioner_code=top.text("beneficio_pensionado", ""),
        legal={name: table.text("fundamento") for name, table in tables.items()},
    )
    for table in (top, *tables.values()):
        table.finish()
    if perfil.pensioner_code and perfil.pensioner_code not in perfil.benefits:
        raise ValueError(f"«beneficio_pensionado» names «{perfil.pensioner_code}», not a benefit")
    if len(perfil.benefits) != len(benefits):
        raise ValueError("«beneficios» has two entries with the same «codigo»")
    return perfil


def _discount(table: _Table, code: str) -> Discount:
    window = Window(table.day("desde"), table.day("hasta"), table.days_by_year("prorroga"))
    discount = Discount(
        code=code,
        label=table.text("etiqueta"),
        percent=table.decimal("porcentaje"),
        window=window,
        needs_up_to_date=table.flag("al_corriente"),
        needs_above_minimum=table.flag("solo_sobre_cuota_minima"),
        max_value_centavos=table.amount("valor_maximo") if table.has("valor_maximo") else None,
        legal=table.text("fundamento"),
    )
    table.finish(extra={"codigo"})
    if discount.percent > 100:
        raise ValueError(f"{table.key('porcentaje')} is over 100")
    if window.first > window.last or any(window.first > d for d in window.extended.values()):
        raise ValueError(f"{table.key('hasta')} is before «desde»")
    return discount


def parse_account_tax(document: Mapping[str, Any]) -> AccountTax:
    """Read an account's debt document. Raises ValueError that names the key."""
    table = _Table(document, "")
    account = AccountTax(
        clave=table.text("clave").replace("-", "").replace(" ", ""),
        annual_tax_centavos=table.amounts_by_year("impuesto_anual_pendiente"),
        benefit=table.text("beneficio", ""),
        value_centavos=table.amount("valor_catastral") if table.has("valor_catastral") else None,
    )
    table.finish()
    if not (account.clave.isascii() and account.clave.isdigit()):
        raise ValueError("«clave» must have digits only")
    return account


class _Table:
    """A TOML table that knows its name, checks types, and refuses keys nobody asked for."""

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self._values, self._name = values, name
        self._known: set[str] = set()

    def key(self, key: str) -> str:
        return f"«{self._name}.{key}»" if self._name else f"«{key}»"

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._values

    def _get(self, key: str) -> Any:
        self._known.add(key)
        if key not in self._values:
            raise ValueError(f"{self.key(key)} is missing")
        return self._values[key]

    def text(self, key: str, default: str | None = None) -> str:
        if default is not None and not self.has(key):
            return default
        value = self._get(key)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise ValueError(f"{self.key(key)} must be a text that is not empty")
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise ValueError(f"{self.key(key)} must be true or false")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{self.key(key)} must be a whole number from {low} to {high}")
        return value

    def decimal(self, key: str) -> Decimal:
        return self._to_decimal(self._get(key), self.key(key))

    def amount(self, key: str) -> int:
        return self._to_centavos(self._get(key), self.key(key))

    def day(self, key: str) -> tuple[int, int]:
        return self._to_day(self._get(key), self.key(key))

    def table(self, key: str) -> _Table:
        return self._sub(self._get(key), key)

    def tables(self, key: str) -> list[_Table]:
        if not self.has(key):
            return []
        entries = self._values[key]
        if not isinstance(entries, list):
            raise ValueError(f"{self.key(key)} must be a list of tables such as [[{key}]]")
        return [self._sub(entry, f"{key}[{i}]") for i, entry in enumerate(entries)]

    def amounts_by_year(self, key: str) -> dict[int, int]:
        years = self._sub(self._get(key), key)
        return {years.year(y): self._to_centavos(v, years.key(y)) for y, v in years._values.items()}

    def days_by_year(self, key: str) -> dict[int, tuple[int, int]]:
        if not self.has(key):
            return {}
        years = self._sub(self._values[key], key)
        return {years.year(y): self._to_day(v, years.key(y)) for y, v in years._values.items()}

    def months(self, key: str) -> dict[tuple[int, int], Decimal]:
        found: dict[tuple[int, int], Decimal] = {}
        table = self._sub(self._get(key), key)
        for month, value in table._values.items():
            match = _MONTH.fullmatch(month)
            if match is None:
                raise ValueError(f"{table.key(month)} is not a month such as 2025-12")
            index = self._to_decimal(value, table.key(month))
            if not index:
                raise ValueError(f"{table.key(month)} must be more than 0")
            found[int(match.group(1)), int(match.group(2))] = index
        return found

    def year(self, text: str) -> int:
        if not re.fullmatch(r"(19|20|21)\d\d", text, re.ASCII):
            raise ValueError(f"{self.key(text)} is not a year such as 2026")
        return int(text)

    def finish(self, extra: Collection[str] = ()) -> None:
        """Refuse what nobody asked for: a misspelt rule must not be a rule left out."""
        for key in self._values:
            if key not in self._known and key not in extra:
                near = difflib.get_close_matches(key, self._known, n=1, cutoff=0)
                raise ValueError(
                    f"{self.key(key)} is unknown; the nearest known key is «{near[0]}»"
                )

    def _sub(self, value: Any, name: str) -> _Table:
        if not isinstance(value, Mapping):
            raise ValueError(f"{self.key(name)} must be a table")
        return _Table(value, f"{self._name}.{name}" if self._name else name)

    @staticmethod
    def _to_decimal(value: Any, key: str) -> Decimal:
        if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
            text = str(value)
            if _DECIMAL.fullmatch(text):
                return Decimal(text)
        raise ValueError(f'{key} must be a decimal number written as text, such as "1.1309"')

    @staticmethod
    def _to_centavos(value: Any, key: str) -> int:
        if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
            try:
                return parse_amount(str(value))
            except ValueError as e:
                raise ValueError(f"{key}: {e}") from None
        raise ValueError(f'{key} must be pesos written as text, such as "1200.50"')

    @staticmethod
    def _to_day(value: Any, key: str) -> tuple[int, int]:
        match = _DAY.fullmatch(value) if isinstance(value, str) else None
        if match is None or int(match.group(2)) > _days_in(2024, int(match.group(1))):
            raise ValueError(f'{key} must be a month and day such as "01-31"')
        return int(match.group(1)), int(match.group(2))


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days


def _day_of(year: int, month_day: tuple[int, int]) -> date:
    month, day = month_day
    return date(year, month, min(day, _days_in(year, month)))
