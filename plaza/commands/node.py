"""`plaza node`: who this node is. Making its key is the one step that a technician does per box."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from municipio.settings import SettingsError, parse_settings
from municipio.wire.keys import KeyFormatError, load_public, public_pem
from plaza.options import data_option, json_option
from sync.datadir import DataDir
from sync.keys import NodeKey, write_new


@click.group()
def node() -> None:
    """Identity of this node."""


@node.command()
@click.option("--central", "central_url", required=True, help="Address of the city's API.")
@click.option(
    "--city-key",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File with the city's public key (PEM), as `plaza-central key show` prints it.",
)
@click.option("--number", type=click.IntRange(1, 999), default=7, show_default=True)
@data_option
@json_option
def init(central_url: str, city_key: Path, number: int, data: Path, as_json: bool) -> None:
    """Make this node's key; print the public part and what the city's clerk runs with it."""
    place = DataDir(data)
    try:
        made = _init(place, central_url, city_key, number)
        code = place.settings().node_code
    except FileExistsError as e:
        _fail(f"{e.filename} exists: this node already has an identity; nothing was changed")
    except (OSError, ValueError) as e:
        _fail(str(e))
    pem = public_pem(made.public).decode()
    clerk = f"plaza-central node add {code} --key {place.node_pub.name}"
    if as_json:
        click.echo(json.dumps({"node": code, "key_id": made.id, "public": pem, "clerk": clerk}))
        return
    click.echo(f"Node {code}, key {made.id}. Its public part ({place.node_pub}):\n\n{pem}")
    click.echo(f"Send that file to the city. The city's clerk runs:\n\n  {clerk}")


def _init(place: DataDir, central_url: str, city_key: Path, number: int) -> NodeKey:
    """Check everything first, then write. Raises OSError or ValueError with a clear message."""
    if not central_url.startswith(("http://", "https://")):
        raise ValueError(f"--central must start with http:// or https://, not {central_url!r}")
    try:
        city = load_public(city_key.read_bytes())
    except KeyFormatError as e:
        raise KeyFormatError(f"{city_key}: {e}") from e
    settings = f"[central]\nurl = {json.dumps(central_url)}\n\n[node]\nnumber = {number}\n"
    parse_settings({"central": {"url": central_url}, "node": {"number": number}})
    for file in (place.node_key, place.city_pub):
        if file.exists():
            raise FileExistsError(17, "exists", str(file))
    if place.settings_file.exists():
        _check_same(place, central_url)
    place.create()
    if not place.settings_file.exists():
        write_new(place.settings_file, settings.encode(), 0o644)
    write_new(place.city_pub, public_pem(city), 0o644)
    return NodeKey.create(place)


def _check_same(place: DataDir, central_url: str) -> None:
    written = place.settings().text("central.url")
    if written != central_url:
        raise SettingsError(
            f"{place.settings_file} says central.url = {written}; change it there or leave it out"
        )


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
