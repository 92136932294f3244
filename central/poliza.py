"""The daily póliza: what came in, by account and CRI item; charges and credits agree to the centavo.

Pure. Each movement becomes entries that balance by themselves, so their sum does. What a payment
brings over or under its liquidación, and what a bank's own figures do not explain, is an entry of
*diferencias por aclarar*, never a silent correction.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from municipio.liquidacion import Liquidacion

ACCOUNTS = (
    *("efectivo", "tarjeta", "banco", "oxxo", "bancos", "comisiones", "devoluciones"),
    *("por_clasificar", "diferencias"),
)
CONCEPTS = (
    *("impuesto", "impuesto_rezago", "adicional", "adicional_rezago", "actualizacion", "recargos"),
    "descuento",
)
_BY_METHOD = {"cash": "efectivo", "card": "tarjeta", "bank": "banco", "oxxo": "oxxo"}
_BY_KIND = {"adquirente": "tarjeta", "banco": "banco", "oxxo": "oxxo", "deposito": "efectivo"}
HEADER = (
    *("fecha", "renglon", "cuenta", "nombre", "cri", "folio", "movimientos", "cargo", "abono"),
)


class ChartError(ValueError):
    """A file of accounts that cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class Account:
    """An accounting account, with the CRI item where it is income (empty: it is none)."""

    number: str
    name: str
    cri: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """The city's accounts; every name of ACCOUNTS and CONCEPTS has one."""

    name: str
    is_demo: bool
    accounts: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: exactly one of the amounts is positive, the other 0. Centavos."""

    account: Account
    folio: str
    charge_centavos: int
    credit_centavos: int
    movements: int = 1


@dataclass(frozen=True, slots=True)
class Income:
    """A payment as the books have it. `owed_back` also when it was given back since."""

    folio: str
    method: str
    amount_centavos: int
    owed_back: bool
    day: date
    liquidacion: Liquidacion | None


@dataclass(frozen=True, slots=True)
class Deposit:
    """A settled movement of a bank. A returned charge has negative amounts."""

    folio: str
    kind: str
    gross_centavos: int
    commission_centavos: int
    net_centavos: int


def parse_chart(text: str) -> Chart:
    """Read the TOML of accounts. Raises ChartError that names the key."""
    try:
        doc = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise ChartError(f"not TOML: {e}") from e
    extra = doc.keys() - {"nombre", "demostracion", "cuentas", "conceptos"}
    if extra:
        raise ChartError(f"{min(extra)}: unknown key")
    accounts: dict[str, Account] = {}
    for section, names, needs_cri in (("cuentas", ACCOUNTS, False), ("conceptos", CONCEPTS, True)):
        found = doc.get(section)
        if not isinstance(found, dict):
            raise ChartError(f"{section}: missing")
        for key in found.keys() - set(names):
            raise ChartError(f"{section}.{key}: unknown key")
        for name in names:
            accounts[name] = _account(found.get(name), f"{section}.{name}", needs_cri)
    title, is_demo = doc.get("nombre"), doc.get("demostracion", False)
    if not isinstance(title, str) or not isinstance(is_demo, bool):
        raise ChartError("nombre must be a text, demostracion true or false")
    return Chart(title, is_demo, accounts)


def _account(found: Any, at: str, needs_cri: bool) -> Account:
    wanted = ("cuenta", "nombre", "cri") if needs_cri else ("cuenta", "nombre")
    if not isinstance(found, dict):
        raise ChartError(f"{at}: missing")
    for key in found.keys() - set(wanted):
        raise ChartError(f"{at}.{key}: unknown key")
    texts = []
    for key in wanted:
        value = found.get(key)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ChartError(f"{at}.{key}: missing")
        texts.append(value)
    return Account(*texts)


def income_entries(income: Income, chart: Chart) -> tuple[Entry, ...]:
    """Charge where the money is, credit what it was for."""
    made = _Entries(chart, income.folio)
    made.charge(_BY_METHOD.get(income.method, "por_clasificar"), income.amount_centavos)
    if income.owed_back:
        made.credit("devoluciones", income.amount_centavos)
    elif income.liquidacion is None:
        made.credit("por_clasificar", income.amount_centavos)
    else:
        left = income.amount_centavos
        for row in income.liquidacion.rows:
            late = "_rezago" if row.year < income.day.year else ""
            made.credit(f"impuesto{late}", row.tax_centavos)
            made.credit(f"adicional{late}", row.adicional_centavos)
            made.credit("actualizacion", row.update_centavos)
            made.credit("recargos", row.surcharge_centavos)
            made.charge("descuento", row.discount_centavos)
            left -= row.tax_centavos + row.adicional_centavos
            left -= row.update_centavos + row.surcharge_centavos - row.discount_centavos
        made.credit("diferencias", left)
    return tuple(made.entries)


def deposit_entries(deposit: Deposit, chart: Chart) -> tuple[Entry, ...]:
    """Charge the bank with the net and the commission, credit who owed the gross."""
    made = _Entries(chart, deposit.folio)
    came_back = deposit.gross_centavos < 0
    made.charge("bancos", deposit.net_centavos)
    made.charge("comisiones", deposit.commission_centavos)
    made.credit("devoluciones" if came_back else _BY_KIND[deposit.kind], deposit.gross_centavos)
    unexplained = deposit.gross_centavos - deposit.commission_centavos - deposit.net_centavos
    made.charge("diferencias", unexplained)
    return tuple(made.entries)


class _Entries:
    """Entries of one movement; a negative charge is a credit, and nothing is written for zero."""

    def __init__(self, chart: Chart, folio: str) -> None:
        self._chart = chart
        self._folio = folio
        self.entries: list[Entry] = []

    def charge(self, name: str, centavos: int) -> None:
        if centavos:
            account = self._chart.accounts[name]
            sides = (max(centavos, 0), max(-centavos, 0))
            self.entries.append(Entry(account, self._folio, *sides))

    def credit(self, name: str, centavos: int) -> None:
        self.charge(name, -centavos)


def summed(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One line for each account and side, charges first, by number of account."""
    found: dict[tuple[bool, Account], Entry] = {}
    for entry in entries:
        key = (entry.charge_centavos == 0, entry.account)
        before = found.get(key)
        found[key] = Entry(
            entry.account,
            "",
            entry.charge_centavos + (before.charge_centavos if before else 0),
            entry.credit_centavos + (before.credit_centavos if before else 0),
            1 + (before.movements if before else 0),
        )
    return tuple(found[key] for key in sorted(found, key=lambda k: (k[0], k[1].number, k[1].name)))


def balance(entries: Iterable[Entry]) -> tuple[int, int]:
    """(sum of charges, sum of credits), centavos."""
    known = list(entries)
    return sum(e.charge_centavos for e in known), sum(e.credit_centavos for e in known)


def to_csv(day: date, entries: Iterable[Entry]) -> str:
    """CSV with a header; amounts in pesos with two decimals and no thousands mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for number, e in enumerate(entries, start=1):
        about = (day.isoformat(), number, e.account.number, e.account.name, e.account.cri)
        money = (_pesos(e.charge_centavos), _pesos(e.credit_centavos))
        writer.writerow((*about, e.folio, e.movements, *money))
    return out.getvalue()


def _pesos(centavos: int) -> str:
    return f"{centavos // 100}.{centavos % 100:02d}"
