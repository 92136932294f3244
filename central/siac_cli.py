"""`plaza-central siac`: the states that the attention system gave to citizens' reports."""

from __future__ import annotations

import csv
from pathlib import Path

import click

from central.cases import Imported, import_states, waiting_states
from central.cli_parts import DEMO_CITY, clear_errors, db_options, opened
from central.siac_file import SiacFileError
from central.wiring import utc_now

SHOWN = 20


@click.group()
def siac() -> None:
    """States of reports, from the attention system (SIAC)."""


@siac.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--rejected", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the rows that were not taken there, with the reason.")  # fmt: skip
@db_options
def siac_import(file: Path, rejected: Path | None, db: str, inegi: str) -> None:
    """Take the changes in FILE (CSV: folio, estado, fecha); a bad row stops no other.

    The same file again changes nothing. Exit 1 when a row was not taken.
    """
    with clear_errors(), opened(db) as store:
        try:
            done = import_states(
                store, inegi, file.read_bytes(), file.name, DEMO_CITY.zone, utc_now()
            )
        except SiacFileError as e:
            raise click.ClickException(f"{file}: {e}") from e
    _tell(done)
    if done.bad:
        if rejected is not None:
            _write(rejected, done)
        raise click.exceptions.Exit(1)


@siac.command("waiting")
@db_options
def siac_waiting(db: str, inegi: str) -> None:
    """Changes that wait for a folio that no node has delivered yet."""
    with clear_errors(), opened(db) as store:
        rows = waiting_states(store, inegi)
    for row in rows:
        click.echo(f"{row.folio:24} {row.detail:12} {row.at[:10]}  {row.source}:{row.line}")
    click.echo(f"{len(rows)} changes wait", err=True)


def _tell(done: Imported) -> None:
    click.echo(f"{done.rows} rows, {done.fresh} new changes, {len(done.bad)} rows not taken")
    if done.waiting:
        click.echo(f"{done.waiting} of them wait for a folio that no node has delivered yet")
    for bad in done.bad[:SHOWN]:
        click.echo(f"line {bad.line}: {bad.why}: {', '.join(bad.cells)[:120]}", err=True)
    if len(done.bad) > SHOWN:
        click.echo(f"and {len(done.bad) - SHOWN} more; see them all with --rejected", err=True)


def _write(path: Path, done: Imported) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("renglon", "motivo", "contenido"))
        out.writerows((bad.line, bad.why, *bad.cells) for bad in done.bad)
