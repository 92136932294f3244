"""`plaza check`: a technician tries a city's configuration before a citizen does.

Each command prints the answer alone on stdout, or one clear line on stderr and exit 1.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from municipio import references
from municipio.identifiers import ClaveProblem, FolioProblem, parse_clave, parse_folio
from municipio.liquidacion import Liquidacion, row_document
from municipio.money import format_amount, format_mxn, importe_con_letra, parse_amount
from municipio.predial import compute_liquidacion, parse_account_tax, parse_perfil
from municipio.settings import parse_settings
from plaza.options import json_option

_T = TypeVar("_T")
_READABLE = click.Path(path_type=Path)


class _Amount(click.ParamType[int]):
    """Pesos with at most two decimals, as centavos. A bad amount is trouble (1), not usage (2)."""

    name = "amount"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        return value if isinstance(value, int) else _or_trouble(parse_amount, value)


class _Day(click.ParamType[date]):
    """An ISO date; trouble (1) when it is none."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        return value if isinstance(value, date) else _or_trouble(_read_day, value)


def _read_day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a civil date has no zone
    except ValueError:
        raise ValueError(f"«{text}» is not a date such as 2026-01-31") from None


def _or_trouble(work: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
    """Run a pure rule; its ValueError becomes one line on stderr and exit 1."""
    try:
        return work(*arguments, **options)
    except ValueError as e:
        raise click.ClickException(str(e)) from None


@click.group()
def check() -> None:
    """Try amounts, references, claves, folios and liquidaciones without a citizen."""


# A negative amount must get an answer about the amount, not about an unknown option.
@check.command(context_settings={"ignore_unknown_options": True})
@click.argument("amount", type=_Amount())
def words(amount: int) -> None:
    """Print AMOUNT in words, as receipts do."""
    click.echo(importe_con_letra(amount))


@check.command()
@click.argument("digits")
def clabe(digits: str) -> None:
    """Print a CLABE if its check digit holds; 17 DIGITS get the digit that they lack."""
    bare = digits.replace(" ", "").replace("-", "")
    if len(bare) == 17:
        bare += str(_or_trouble(references.clabe_check_digit, bare))
    click.echo(_or_trouble(references.parse_clabe, bare))


@check.command()
@click.option("--algorithm", type=click.Choice(["bbva-10", "oxxo-25"]), required=True)
@click.option("--reference", required=True, help="The payer's digits.")
@click.option("--amount", type=_Amount(), required=True, help="Pesos, e.g. 1095.60.")
@click.option("--due", type=_Day(), required=True, help="Last day to pay, YYYY-MM-DD.")
@click.option("--base-year", type=int, help="bbva-10: base year of the agreement.")
@click.option("--constant", type=int, help="bbva-10: digit after the amount digit.")
@click.option("--prefix", help="oxxo-25: the two digits that the chain assigned.")
def reference(
    algorithm: str,
    reference: str,
    amount: int,
    due: date,
    base_year: int | None,
    constant: int | None,
    prefix: str | None,
) -> None:
    """Print the reference number of a pase de caja."""
    if algorithm == "bbva-10":
        if base_year is None or constant is None:
            raise click.UsageError("bbva-10 needs --base-year and --constant")
        answer = _or_trouble(references.bbva_10, reference, amount, due, base_year, constant)
    else:
        if prefix is None:
            raise click.UsageError("oxxo-25 needs --prefix")
        answer = _or_trouble(references.oxxo_25, prefix, reference, amount, due)
    click.echo(answer)


@check.command()
@click.option("--perfil", type=_READABLE, required=True, help="TOML file with the city's rules.")
@click.option("--account", type=_READABLE, required=True, help="TOML file with an account's debt.")
@click.option("--on", type=_Day(), required=True, help="Day of payment, YYYY-MM-DD.")
@click.option("--pensioner", is_flag=True, help="What the benefit for pensioners would give.")
@json_option
def liquidacion(perfil: Path, account: Path, on: date, pensioner: bool, as_json: bool) -> None:
    """Compute what an account owes on a day, by year and concept."""
    rules = _or_trouble(_parse_file, perfil, parse_perfil)
    debt = _or_trouble(_parse_file, account, parse_account_tax)
    answer = _or_trouble(compute_liquidacion, rules, debt, on, pensioner=pensioner)
    click.echo(_as_json(answer) if as_json else _as_table(answer))


def _parse_file(path: Path, parse: Callable[[dict[str, Any]], _T]) -> _T:
    """Read a TOML file; every trouble is a ValueError that names the file."""
    try:
        # parse_float=str keeps 1100.10 exact: money never passes through a binary fraction.
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
        return parse(document)
    except OSError as e:
        raise ValueError(f"{path}: {e.strerror}") from None
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from None


def _as_json(liquidacion: Liquidacion) -> str:
    document = {
        "rows": [row_document(row) for row in liquidacion.rows],
        "total_centavos": liquidacion.total_centavos,
        "valid_until": liquidacion.valid_until.isoformat(),
    }
    return json.dumps(document, ensure_ascii=False)


_HEADINGS = ("Año", "Impuesto", "Adicional", "Factor", "Actualiz.", "Meses", "Recargos",
             "Descuento", "Subtotal")  # fmt: skip
_WIDTHS = (4, 12, 12, 7, 12, 5, 12, 12, 12)


def _as_table(liquidacion: Liquidacion) -> str:
    lines = [_HEADINGS]
    for r in liquidacion.rows:
        lines.append((str(r.year), format_amount(r.tax_centavos),
                      format_amount(r.adicional_centavos), r.factor,
                      format_amount(r.update_centavos), str(r.months),
                      format_amount(r.surcharge_centavos), format_amount(-r.discount_centavos),
                      format_amount(r.subtotal_centavos)))  # fmt: skip
    table = ["  ".join(c.rjust(w) for c, w in zip(line, _WIDTHS, strict=True)) for line in lines]
    table.append(f"Total {format_mxn(liquidacion.total_centavos)}")
    if liquidacion.benefit_label:
        table.append(liquidacion.benefit_label)
    table.append(f"Válida hasta {liquidacion.valid_until.isoformat()}")
    return "\n".join(table)


@check.command()
@click.argument("digits")
@click.option("--mask", help="Group widths; default: the mask of Plaza's settings.")
def clave(digits: str, mask: str | None) -> None:
    """Print a clave catastral in its groups, if its length is one that the city uses."""
    chosen = mask or parse_settings({}).text("city.clave_mask")
    found = _or_trouble(parse_clave, digits, chosen)
    if isinstance(found, ClaveProblem):
        raise click.ClickException(str(found))
    click.echo(found.formatted)


@check.command()
@click.argument("folio")
def folio(folio: str) -> None:
    """Print a folio as it was issued, if its check character holds."""
    found = parse_folio(folio)
    if isinstance(found, FolioProblem):
        raise click.ClickException(str(found))
    click.echo(found.text)
