"""`plaza-central cfdi import`: stamped CFDI, back to the folio of their payment."""

from __future__ import annotations

from pathlib import Path

import click

from central.cfdi import CfdiError, keep_stamp, parse_cfdi
from central.cli_parts import clear_errors, db_options, opened
from central.wiring import utc_now
from municipio.facts import format_time


@click.group()
def cfdi() -> None:
    """Fiscal receipts that the city stamped."""


@cfdi.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True,
                type=click.Path(path_type=Path, dir_okay=False, exists=True))  # fmt: skip
@db_options
def import_(files: tuple[Path, ...], db: str, inegi: str) -> None:
    """Bind each stamped XML to the payment whose folio it names. Good ones are kept, bad ones told."""
    fresh, refused = 0, 0
    with clear_errors(), opened(db) as store:
        for path in files:
            try:
                stamp = parse_cfdi(path.read_bytes())
                with store.begin() as connection:
                    fresh += keep_stamp(connection, inegi, stamp, format_time(utc_now()))
            except CfdiError as e:
                click.echo(f"{path.name}: {e}", err=True)
                refused += 1
    click.echo(f"{fresh} of {len(files)} CFDI are new")
    if refused:
        raise SystemExit(1)
