"""`plaza-central technician`: who may open the technician's screens of the city's nodes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from central.city import City
from central.keys import KeysError
from central.technicians import (
    add_technician,
    export_list,
    load_register,
    read_public_key,
    remove_technician,
)
from central.wiring import utc_now
from municipio.technicians import Role, Technician
from municipio.wire.technician_list import MAX_VALID_DAYS

_DEMO = City()
_DATE = click.DateTime(["%Y-%m-%d"])
_KEYS = click.option(
    "--keys", required=True, envvar="PLAZA_CITY_KEYS",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Directory of the city's keys.",
)  # fmt: skip


class _Group(click.Group):
    """Expected trouble is one line on stderr and exit 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeysError as e:
            raise click.ClickException(str(e)) from e


@click.group(cls=_Group)
def technician() -> None:
    """The technicians whose cards open the nodes."""


@technician.command("add")
@click.argument("badge")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="Certificate or public key of the card's slot 9A (PEM).")  # fmt: skip
@click.option("--role", "roles", multiple=True, default=[Role.SERVICE.value], show_default=True,
              type=click.Choice([r.value for r in Role]))  # fmt: skip
@click.option("--from", "first", type=_DATE, help="First day; default: today.")
@click.option("--until", "last", type=_DATE, help="Last day; default: a year from the first.")
@_KEYS
def add(
    badge: str, key_file: Path, roles: tuple[str, ...], first: datetime | None,
    last: datetime | None, keys: Path,
) -> None:  # fmt: skip
    """Register BADGE (such as T-014, never a name) with the key of its card."""
    start = first.date() if first else utc_now().astimezone(_DEMO.zone).date()
    end = last.date() if last else start + timedelta(days=365)
    granted = frozenset(Role(r) for r in roles)
    add_technician(keys, Technician(badge, read_public_key(key_file), granted, start, end))
    click.echo(f"{badge} is registered until {end}; sign a new list with: technician export")


@technician.command("remove")
@click.argument("badge")
@_KEYS
def remove(badge: str, keys: Path) -> None:
    """Leave BADGE out of every list from the next one on."""
    remove_technician(keys, badge)
    click.echo(f"{badge} is removed; sign a new list with: technician export")


@technician.command("list")
@click.option("--json", "as_json", is_flag=True)
@_KEYS
def list_(keys: Path, as_json: bool) -> None:
    """The registered badges, their roles and last days."""
    register = load_register(keys)
    rows = [
        {"id": t.id, "roles": sorted(t.roles), "valid_from": str(t.valid_from),
         "valid_until": str(t.valid_until)}
        for t in register.technicians
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"serial": register.serial, "technicians": rows}))
        return
    for t in register.technicians:
        click.echo(f"{t.id:<16} {', '.join(sorted(t.roles)):<16} until {t.valid_until}")
    if not rows:
        click.echo("no technician is registered")


@technician.command("export")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The file that each node keeps as keys/technicians.json.")  # fmt: skip
@click.option("--days", default=31, show_default=True, type=click.IntRange(1, MAX_VALID_DAYS))
@click.option("--inegi", default=_DEMO.inegi, show_default=True,
              help="INEGI code of the municipality, five digits.")  # fmt: skip
@_KEYS
def export(out: Path, days: int, inegi: str, keys: Path) -> None:
    """Sign the list that the nodes go by."""
    today = utc_now().astimezone(_DEMO.zone).date()
    signed, listed = export_list(keys, inegi, today, days)
    try:
        out.write_bytes(signed)
    except OSError as e:
        raise click.ClickException(f"{out}: {e.strerror}") from e
    count = len(listed.technicians)
    click.echo(f"list {listed.serial}: {count} technicians until {listed.valid_until}, in {out}")
