"""`plaza-central poliza`: the day's póliza, on the screen or as CSV, and closing it."""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path

import click

from central.city import City
from central.cli_parts import clear_errors, db_options, opened
from central.poliza import Chart, ChartError, Entry, balance, parse_chart, summed, to_csv
from central.poliza_books import Poliza, PolizaError, close_poliza, poliza_of
from central.wiring import utc_now
from municipio.money import format_mxn


@click.command()
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--csv", "as_csv", is_flag=True)
@click.option(
    "--detail", is_flag=True, help="A line for each folio instead of one for each account."
)
@click.option("--close", is_flag=True, help="Fix it: later news go into a later póliza.")
@click.option("--accounts", "chart", envvar="PLAZA_CONTABILIDAD",
              type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="TOML: account and CRI item of each concept; by default demonstration.")  # fmt: skip
@db_options
def poliza(
    day: datetime, as_csv: bool, detail: bool, close: bool, chart: Path | None, db: str, inegi: str
) -> None:
    """The póliza of a day: what came in by account and CRI item."""
    city, known = City(inegi=inegi), load_chart(chart)
    with clear_errors(), opened(db) as store:
        try:
            if close:
                found = close_poliza(store, city, day.date(), known, utc_now())
            else:
                found = poliza_of(store, city, day.date(), known)
        except PolizaError as e:
            raise click.ClickException(str(e)) from e
    entries = found.entries if detail else summed(found.entries)
    if as_csv:
        click.echo(to_csv(found.day, entries), nl=False)
    else:
        click.echo("\n".join(map(_row, entries)))
    click.echo(_summary(found, known), err=True)


def load_chart(path: Path | None) -> Chart:
    """The city's accounts, or the demonstration's. Raises ClickException."""
    source = resources.files("central").joinpath("demo_contabilidad.toml") if path is None else path
    try:
        return parse_chart(source.read_text(encoding="utf-8"))
    except (ChartError, UnicodeDecodeError) as e:
        raise click.ClickException(f"{path or 'demo_contabilidad.toml'}: {e}") from e


def _row(entry: Entry) -> str:
    sides = [format_mxn(c) if c else "" for c in (entry.charge_centavos, entry.credit_centavos)]
    account = entry.account
    return f"{account.number:24} {account.name:36} {account.cri:20} {sides[0]:>16} {sides[1]:>16}"


def _summary(found: Poliza, chart: Chart) -> str:
    charge, credit = balance(found.entries)
    state = f"closed at {found.closed_at}" if found.closed_at else "open"
    lines = [f"{found.day}: {state}; charges {format_mxn(charge)}, credits {format_mxn(credit)}"]
    if found.late:
        lines.append(f"{found.late} movements are of days that were closed before")
    if found.waiting:
        lines.append(
            f"{found.waiting} movements of banks are in no póliza: nobody knows what they are"
        )
    if chart.is_demo:
        lines.append("the accounts are of the demonstration: give yours with --accounts")
    return "\n".join(lines)
