"""`plaza-central open311`: whether requests are taken over Open311, and who may file them."""

from __future__ import annotations

from pathlib import Path

import click

from central.city import City
from central.cli_parts import clear_errors, db_options, keys_dir, keys_option, opened
from central.open311_door import open_door
from central.rights_audit import TokenError, list_tokens, make_token, revoke_token
from central.schema_fleet import open311_keys
from central.wiring import utc_now


@click.group()
def open311() -> None:
    """Reports of citizens for other programs, by the standard Open311 GeoReport v2."""


@open311.command("enable")
@db_options
@keys_option
def enable(db: str, inegi: str, keys: Path | None) -> None:
    """Take requests too, not only show them; start the program again afterwards.

    The city becomes its own node 000, with a key in the keys' directory.
    """
    with clear_errors(), opened(db) as store:
        door = open_door(store, City(inegi=inegi), keys_dir(db, keys), utc_now())
    click.echo(f"requests are taken as facts of {door.node}; give keys with: open311 key add NAME")


@open311.group()
def key() -> None:
    """Keys of the programs that may file requests."""


@key.command("add")
@click.argument("name")
@db_options
def key_add(name: str, db: str, inegi: str) -> None:
    """Make a key for the program NAME; it is shown this once."""
    with clear_errors(), opened(db) as store:
        try:
            click.echo(make_token(store, inegi, name, utc_now(), open311_keys))
        except TokenError as e:
            raise click.ClickException(str(e)) from e


@key.command("remove")
@click.argument("name")
@db_options
def key_remove(name: str, db: str, inegi: str) -> None:
    """Refuse the key of NAME from now on."""
    with clear_errors(), opened(db) as store:
        try:
            revoke_token(store, inegi, name, utc_now(), open311_keys)
        except TokenError as e:
            raise click.ClickException(str(e)) from e
    click.echo(f"the key of {name} is refused from now on")


@key.command("list")
@db_options
def key_list(db: str, inegi: str) -> None:
    """The names that have a key, and those that had one."""
    with clear_errors(), opened(db) as store:
        rows = list_tokens(store, inegi, open311_keys)
    for row in rows:
        ended = f"refused since {row.revoked_at}" if row.revoked_at else "good"
        click.echo(f"{row.name:24} {ended}, made {row.made_at}")
