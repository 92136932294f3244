"""`plaza-central export`: what leaves the city's database on a disk: an audit, an office's facts."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from central.attachments import read_attachment
from central.audit import AuditError, export_audit
from central.city import City
from central.cli_parts import clear_errors, db_options, keys_dir, keys_option, opened
from central.desk import files_of
from central.desk_access import all_facts_of
from central.desk_client import write_bundle
from central.keys import OFFICES, CityKey, load_city_key
from central.projections import project
from central.store import Store
from central.wiring import utc_now

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@click.option("--audit", nargs=2, type=_DAY, metavar="FROM TO",
              help="What arrived from one day through the other, with what proves it.")  # fmt: skip
@click.option("--office", type=click.Choice(OFFICES),
              help="What is sealed to an office, for `plaza-central open --from`.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="For an audit, a new or empty directory.")  # fmt: skip
@db_options
@keys_option
def export(
    audit: tuple[datetime, datetime] | None, office: str | None, out: Path, db: str, inegi: str,
    keys: Path | None,
) -> None:  # fmt: skip
    """Write an audit (facts, signatures, books, verifier), or an office's sealed facts."""
    if (audit is None) == (office is None):
        raise click.UsageError("say what: --audit FROM TO, or --office OFFICE")
    city = City(inegi=inegi)
    with clear_errors(), opened(db) as store:
        key = load_city_key(keys_dir(db, keys))
        project(store, inegi, city.zone, utc_now())
        if office is not None:
            _export_office(store, city, key, office, out)
        elif audit is not None:
            _export_audit(store, city, key, (audit[0].date(), audit[1].date()), out)


def _export_audit(
    store: Store, city: City, key: CityKey, days: tuple[date, date], out: Path
) -> None:
    try:
        made = export_audit(store, city, key, *days, out, utc_now())
    except AuditError as e:
        raise click.ClickException(str(e)) from e
    click.echo(f"{made.facts} facts of {made.chains} chains and {made.payments} payments in {out}")
    if made.unsigned:
        click.echo(f"{made.unsigned} facts carry no signature of their node", err=True)
    click.echo(f"check it with: python {out / 'verify.py'} {out} --city-key city.pub")


def _export_office(store: Store, city: City, key: CityKey, office: str, out: Path) -> None:
    facts = list(all_facts_of(store, city.inegi, office))
    path = write_bundle(out, city.inegi, office, facts, key.sign)
    files = [sha256 for fact in facts for sha256 in files_of(fact)]
    (out / "files").mkdir(exist_ok=True)
    for sha256 in files:
        body = read_attachment(store, city.inegi, sha256)
        if body is not None:
            (out / "files" / sha256).write_bytes(body)
    click.echo(f"{len(facts)} sealed facts and {len(files)} files in {path}")
