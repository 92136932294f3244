"""The `plaza-central` command. Text for people on stdout, `--json` for machines; exit 0, 1 or 2."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from central.city import City
from central.demo_padron import MIN_ACCOUNTS
from central.keys import KeysError, create_city_keys, load_city_key, load_recipients
from central.migrations import HEAD
from central.nodes import NodeError, add_node, list_nodes, revoke_node
from central.server import serve
from central.staff import stored_facts
from central.store import DEFAULT_URL, Store, StoreError, open_store, sqlite_file
from central.technician_cli import technician
from central.wiring import build, demo_perfil, utc_now
from municipio.facts import LANES
from municipio.money import format_mxn
from municipio.wire.keys import KeyFormatError, key_id, load_public

if TYPE_CHECKING:
    from central.demo_data import DemoCity

DEFAULT_LISTEN = "127.0.0.1:8311"
_DEMO = City()
_F = TypeVar("_F", bound=Callable[..., Any])


def _db_options(function: _F) -> _F:
    """Where the database is, and which municipality in it."""
    db = click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB",
                      help="SQLAlchemy URL: sqlite:///FILE or postgresql://...")  # fmt: skip
    inegi = click.option("--inegi", default=_DEMO.inegi, show_default=True,
                         help="INEGI code of the municipality, five digits.")  # fmt: skip
    return db(inegi(function))


def _keys_option(function: _F) -> _F:
    return click.option(
        "--keys", type=click.Path(path_type=Path, file_okay=False), envvar="PLAZA_CITY_KEYS",
        help="Directory of the city's keys; by default city-keys/ beside the SQLite file.",
    )(function)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The city's API: takes what nodes send, answers what they ask."""


@main.command()
@_db_options
@_keys_option
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, metavar="ADDR:PORT")
@click.option("--staff-token", envvar="PLAZA_STAFF_TOKEN", help="Made anew when not given.")
@click.option("--city-name", default=_DEMO.name, show_default=True)
def run(
    db: str, inegi: str, keys: Path | None, listen: str, staff_token: str | None, city_name: str
) -> None:
    """Serve until interrupted."""
    host, port = _address(listen)
    token = staff_token or secrets.token_urlsafe(24)
    with _clear_errors():
        program = build(db, _keys_dir(db, keys), token, City(inegi=inegi, name=city_name))

        def ready(port: int) -> None:
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"central: http://{shown}:{port}/")
            click.echo(f"staff page: http://{shown}:{port}/?token={token}")

        program.projector.start()
        try:
            serve(program.app, host, port, ready)
        finally:
            program.close()


@main.command("migrate")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
def migrate_command(db: str) -> None:
    """Bring an older database up to date; stop the programs that use it first."""
    with _clear_errors():
        open_store(db, migrating=True).close()
    click.echo(f"the database is at revision {HEAD}")


@main.command("demo-data")
@_db_options
@_keys_option
@click.option("--content", "content", required=True, type=click.Path(path_type=Path),
              help="Folder to write the nodes' content into.")  # fmt: skip
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Date of the liquidaciones.")
@click.option("--accounts", "count", default=MIN_ACCOUNTS, show_default=True,
              type=click.IntRange(4, 200_000))  # fmt: skip
@click.option("--recipients-out", type=click.Path(path_type=Path, file_okay=False),
              help="Also write the offices' age public keys there, one file each.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
def demo_data(
    db: str, inegi: str, keys: Path | None, content: Path, on: datetime | None, count: int,
    recipients_out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a demonstration city: keys, accounts, signed liquidaciones, content folder."""
    from central.demo_data import (
        DemoError,
        make_demo_city,
    )  # a server has no use for the demonstration

    city = City(inegi=inegi)
    day = on.date() if on else utc_now().astimezone(city.zone).date()
    directory = _keys_dir(db, keys)
    with _clear_errors(), _opened(db) as store:
        try:
            made = make_demo_city(
                store, city, demo_perfil(), keys=directory, content=content, on=day, count=count
            )
        except DemoError as e:
            raise click.ClickException(str(e)) from e
        if recipients_out is not None:
            _write_recipients(directory, recipients_out)
    click.echo(_demo_json(made) if as_json else _demo_text(made, day))


@main.command()
@_db_options
@click.option("--node", default="", help="Only the facts of this node.")
@click.option(
    "--lane",
    default="",
    type=click.Choice(["", *(lane.value for lane in LANES)]),
    help="Only this lane.",
)
def facts(db: str, inegi: str, node: str, lane: str) -> None:
    """Print the stored facts, byte for byte as they came, one a line."""
    with _clear_errors(), _opened(db) as store:
        for raw in stored_facts(store, inegi, node, lane):
            click.echo(raw)


@main.group()
def node() -> None:
    """The nodes that may send."""


@node.command("add")
@click.argument("code", metavar="NODE")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path),
              help="The node's public key (PEM).")  # fmt: skip
@click.option("--replace", is_flag=True, help="Retire the key that the node had before.")
@_db_options
def node_add(code: str, key_file: Path, replace: bool, db: str, inegi: str) -> None:
    """Register NODE (such as COA007) with its public key."""
    with _clear_errors(), _opened(db) as store:
        public = load_public(key_file.read_bytes())
        identifier = add_node(store, inegi, code, public, utc_now(), replace=replace)
    click.echo(f"{code} is registered with key {identifier}")


@node.command("list")
@_db_options
@click.option("--json", "as_json", is_flag=True)
def node_list(db: str, inegi: str, as_json: bool) -> None:
    """List the nodes with their last contact."""
    with _clear_errors(), _opened(db) as store:
        rows = list_nodes(store, inegi)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        contact = row.last_contact_at or "never"
        click.echo(f"{row.node}  {row.state:8}  {row.facts:8} facts  last contact {contact}")
    if not rows:
        click.echo("no node is registered")


@node.command("revoke")
@click.argument("code", metavar="NODE")
@_db_options
def node_revoke(code: str, db: str, inegi: str) -> None:
    """Refuse NODE's requests from now on; its facts and receipts stay valid."""
    with _clear_errors(), _opened(db) as store:
        revoke_node(store, inegi, code)
    click.echo(f"{code} is revoked")


main.add_command(technician)


@main.group()
def key() -> None:
    """The city's own keys."""


@key.command("show")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
@_keys_option
@click.option("--json", "as_json", is_flag=True)
def key_show(db: str, keys: Path | None, as_json: bool) -> None:
    """Print the city's public key, which every node must have."""
    with _clear_errors():
        city_key = load_city_key(_keys_dir(db, keys))
    pem = city_key.public_pem.decode()
    shown = {"key_id": key_id(city_key.public), "public_pem": pem}
    click.echo(json.dumps(shown) if as_json else pem, nl=as_json)


@key.command("create")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
@_keys_option
def key_create(db: str, keys: Path | None) -> None:
    """Make the city's keys where they are missing; existing ones stay."""
    with _clear_errors():
        directory = _keys_dir(db, keys)
        made = create_city_keys(directory)
    click.echo(f"city key {key_id(made.public)} in {directory}")


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Expected trouble is one line on stderr and exit 1."""
    try:
        yield
    except (StoreError, KeysError, NodeError, KeyFormatError) as e:
        raise click.ClickException(str(e)) from e
    except OSError as e:
        raise click.ClickException(f"{e.filename or 'central'}: {e.strerror or e}") from e


@contextmanager
def _opened(db: str) -> Iterator[Store]:
    store = open_store(db)
    try:
        yield store
    finally:
        store.close()


def _keys_dir(db: str, keys: Path | None) -> Path:
    if keys is not None:
        return keys
    file = sqlite_file(db)
    if file is None:
        raise click.UsageError("this database is no file; say where the city's keys are: --keys")
    return file.parent / "city-keys"


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--listen wants ADDR:PORT such as {DEFAULT_LISTEN}, not {listen!r}")
    return host.strip("[]"), int(port)


def _write_recipients(keys: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for office, recipients in load_recipients(keys).items():
        (out / f"{office}.txt").write_text("\n".join(recipients) + "\n", encoding="ascii")


def _demo_json(made: DemoCity) -> str:
    return json.dumps(asdict(made), default=os.fspath, ensure_ascii=False)


def _demo_text(made: DemoCity, on: date) -> str:
    lines = [
        f"{made.accounts} demonstration accounts on {on}, content {made.version} in {made.content}",
        f"city keys in {made.keys}",
        "",
        f"{'to try':24} {'clave':30} {'owes':>14}  valid until",
    ]
    for known in made.known:
        owes = format_mxn(known.total_centavos)
        lines.append(f"{known.shows:24} {known.clave:30} {owes:>14}  {known.valid_until}")
    return "\n".join(lines)
