"""`plaza-central import` and `stick`: what people carry between the nodes and the city."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from central.carrier import Desk, import_stick
from central.city import City
from central.cli_parts import clear_errors, db_options, keys_dir, keys_option, opened
from central.keys import load_city_key
from central.wiring import utc_now
from municipio.wire import carrier as names

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("import")
@click.argument("stick", metavar="DIR", type=_FOLDER)
@click.option("--content", type=_FOLDER, help="Content folder to hand back to the nodes.")
@db_options
@keys_option
@click.option("--json", "as_json", is_flag=True)
def import_(
    stick: Path, content: Path | None, db: str, inegi: str, keys: Path | None, as_json: bool
) -> None:
    """Take the facts and files that nodes wrote on the stick at DIR; write the answers on it."""
    with clear_errors(), opened(db) as store:
        desk = Desk(store, City(inegi=inegi), load_city_key(keys_dir(db, keys)), content)
        results = import_stick(stick, desk, utc_now())
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], ensure_ascii=False))
    for result in results if not as_json else ():
        click.echo(f"{result.node}: {result.facts} facts and {result.attachments} files are new")
        for refused in result.refused:
            click.echo(f"{result.node}: refused: {refused}", err=True)
    if not results and not as_json:
        click.echo("no node has written on this stick")


@click.command()
@click.argument("stick", metavar="DIR", type=_FOLDER)
@click.option("--serial", required=True, help="Name of the stick, as written on it: USB-014.")
@db_options
@keys_option
def stick(stick: Path, serial: str, db: str, inegi: str, keys: Path | None) -> None:
    """Make the stick at DIR one of the city's: its nodes read and write it when it is put in."""
    with clear_errors():
        key = load_city_key(keys_dir(db, keys))
        made = names.Stick(inegi, serial, utc_now().astimezone(City(inegi=inegi).zone).date())
        try:
            raw = names.encode_stick(made, key.sign)
        except ValueError as e:
            raise click.UsageError(str(e)) from e
        folder = stick / names.ROOT
        folder.mkdir(exist_ok=True)
        (folder / names.MARKER).write_bytes(raw)
    click.echo(f"{serial} is a stick of municipality {inegi}")
