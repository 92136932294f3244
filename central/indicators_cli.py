"""`plaza-central indicators`: the month as text or CSV; `plaza-central services`: who attends what."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import msgspec

from central.cli_parts import DEMO_CITY, clear_errors, db_options, opened
from central.indicators import MONTH, month_report, replace_services, replace_tramites
from central.indicators_text import month_csv, month_text
from central.wiring import utc_now
from municipio.reports import Service
from municipio.tramites import Tramite


@click.command()
@db_options
@click.option("--month", "month", default="", metavar="YYYY-MM", help="By default this month.")
@click.option("--csv", "as_csv", is_flag=True, help="One line per node and figure.")
def indicators(db: str, inegi: str, month: str, as_csv: bool) -> None:
    """Print the month as the programme reports it."""
    today: date = utc_now().astimezone(DEMO_CITY.zone).date()
    wanted = month or today.strftime("%Y-%m")
    if not MONTH.fullmatch(wanted):
        raise click.UsageError(f"--month wants a month such as 2026-11, not {wanted!r}")
    with clear_errors(), opened(db) as store:
        report = month_report(store, inegi, wanted)
    click.echo(month_csv(report) if as_csv else month_text(report), nl=not as_csv)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@db_options
def services(file: Path, db: str, inegi: str) -> None:
    """Learn from a content folder's services.json in FILE which dependency attends what."""
    try:
        known = msgspec.json.decode(file.read_bytes(), type=list[Service])
    except (msgspec.MsgspecError, OSError) as e:
        raise click.ClickException(f"{file} is no services.json: {e}") from e
    with clear_errors(), opened(db) as store, store.begin() as connection:
        number = replace_services(connection, inegi, known)
    click.echo(f"{number} services are known")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@db_options
def tramites(file: Path, db: str, inegi: str) -> None:
    """Learn from a content folder's tramites.json in FILE how the trámites are called."""
    try:
        known = msgspec.json.decode(file.read_bytes(), type=list[Tramite])
    except (msgspec.MsgspecError, OSError) as e:
        raise click.ClickException(f"{file} is no tramites.json: {e}") from e
    with clear_errors(), opened(db) as store, store.begin() as connection:
        number = replace_tramites(connection, inegi, known)
    click.echo(f"{number} trámites are known")
