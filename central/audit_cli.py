"""`plaza-central export`: what leaves the city's database on a disk: an audit, an office's facts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from central.audit import AuditError, export_audit
from central.city import City
from central.cli_parts import clear_errors, db_options, keys_dir, keys_option, opened
from central.keys import load_city_key
from central.projections import project
from central.wiring import utc_now

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@click.option("--audit", nargs=2, type=_DAY, metavar="FROM TO", required=True,
              help="What arrived from one day through the other, with what proves it.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="A new or empty directory.")  # fmt: skip
@db_options
@keys_option
def export(
    audit: tuple[datetime, datetime], out: Path, db: str, inegi: str, keys: Path | None
) -> None:
    """Write facts, signatures, books and a verifier that needs nothing of this program."""
    city = City(inegi=inegi)
    first, last = (day.date() for day in audit)
    with clear_errors(), opened(db) as store:
        key = load_city_key(keys_dir(db, keys))
        project(store, inegi, city.zone, utc_now())
        try:
            made = export_audit(store, city, key, first, last, out, utc_now())
        except AuditError as e:
            raise click.ClickException(str(e)) from e
    click.echo(f"{made.facts} facts of {made.chains} chains and {made.payments} payments in {out}")
    if made.unsigned:
        click.echo(f"{made.unsigned} facts are of before signatures were kept", err=True)
    click.echo(f"check it with: python {out / 'verify.py'} {out} --city-key city.pub")
