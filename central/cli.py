"""The `plaza-central` command. Text for people on stdout, `--json` for machines; exit 0, 1 or 2."""

from __future__ import annotations

import csv
import json
import os
import secrets
import sys
from dataclasses import asdict
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from central.city import City
from central.cli_parts import DEMO_CITY, clear_errors, db_options, keys_dir, keys_option, opened
from central.demo_padron import MIN_ACCOUNTS
from central.keys import create_city_keys, load_city_key, load_recipients
from central.migrations import HEAD
from central.moments_read import TIMES_HEAD, time_rows
from central.server import serve
from central.staff import stored_facts
from central.store import DEFAULT_URL, open_store
from central.wiring import build, demo_perfil, utc_now
from municipio.facts import LANES
from municipio.money import format_mxn
from municipio.wire.keys import key_id

if TYPE_CHECKING:
    from central.demo_data import DemoCity

DEFAULT_LISTEN = "127.0.0.1:8311"


_ELSEWHERE = {
    "approve": "central.fleet_cli:approve",
    "cfdi": "central.cfdi_cli:cfdi",
    "enrol-code": "central.fleet_cli:enrol_code",
    "export": "central.audit_cli:export",
    "import": "central.carrier_cli:import_",
    "openings": "central.desk_cli:openings",
    "open": "central.desk_cli:open_",
    "publish": "central.publish_cli:publish",
    "indicators": "central.indicators_cli:indicators",
    "node": "central.fleet_cli:node",
    "reconcile": "central.reconcile_cli:reconcile_command",
    "open311": "central.open311_cli:open311",
    "poliza": "central.poliza_cli:poliza",
    "quarantine": "central.quarantine_cli:quarantine",
    "release": "central.fleet_cli:release",
    "retention": "central.rights_cli:retention",
    "revoke": "central.fleet_cli:revoke",
    "rights": "central.rights_cli:rights",
    "rollout": "central.rollout_cli:rollout",
    "services": "central.indicators_cli:services",
    "siac": "central.siac_cli:siac",
    "staff": "central.rights_cli:staff",
    "stick": "central.carrier_cli:stick",
    "tramites": "central.indicators_cli:tramites",
    "technician": "central.technician_cli:technician",
}
"""Commands by the module that has them, which is imported when the command is wanted."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = _ELSEWHERE[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The city's API: takes what nodes send, answers what they ask."""


@main.command()
@db_options
@keys_option
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, metavar="ADDR:PORT")
@click.option("--staff-token", envvar="PLAZA_STAFF_TOKEN", help="Made anew when not given.")
@click.option("--city-name", default=DEMO_CITY.name, show_default=True)
@click.option("--proxy", default="", metavar="ADDR",
              help="Address of the proxy in front, whose X-Forwarded-For is believed.")  # fmt: skip
@click.option("--repo", envvar="PLAZA_REPOSITORY", type=click.Path(path_type=Path, file_okay=False),
              help="Directory of the repository that nodes pull from (`publish init`).")  # fmt: skip
def run(
    db: str,
    inegi: str,
    keys: Path | None,
    listen: str,
    staff_token: str | None,
    city_name: str,
    proxy: str,
    repo: Path | None,
) -> None:
    """Serve until interrupted."""
    host, port = _address(listen)
    token = staff_token or secrets.token_urlsafe(24)
    with clear_errors():
        program = build(db, keys_dir(db, keys), token, City(inegi=inegi, name=city_name), repo)

        def ready(port: int) -> None:
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"central: http://{shown}:{port}/")
            # A token that somebody set is a secret, and what is printed ends in a journal.
            secret = "" if staff_token else f"?token={token}"
            click.echo(f"staff page: http://{shown}:{port}/{secret}")

        program.projector.start()
        try:
            serve(program.app, host, port, ready, proxy)
        finally:
            program.close()


@main.command("migrate")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
def migrate_command(db: str) -> None:
    """Bring an older database up to date; stop the programs that use it first."""
    with clear_errors():
        open_store(db, migrating=True).close()
    click.echo(f"the database is at revision {HEAD}")


@main.command("demo-data")
@db_options
@keys_option
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
    directory = keys_dir(db, keys)
    with clear_errors(), opened(db) as store:
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
@db_options
@click.option("--node", default="", help="Only the facts of this node.")
@click.option(
    "--lane",
    default="",
    type=click.Choice(["", *(lane.value for lane in LANES)]),
    help="Only this lane.",
)
@click.option("--times", is_flag=True, help="CSV of when each happened and how surely, instead.")
def facts(db: str, inegi: str, node: str, lane: str, times: bool) -> None:
    """Print the stored facts, byte for byte as they came, one a line."""
    with clear_errors(), opened(db) as store:
        if times:
            out = csv.writer(sys.stdout, lineterminator="\n")
            out.writerow(TIMES_HEAD)
            out.writerows(time_rows(store, inegi, node, lane))
            return
        for raw in stored_facts(store, inegi, node, lane):
            click.echo(raw)


@main.group()
def key() -> None:
    """The city's own keys."""


@key.command("show")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
@keys_option
@click.option("--json", "as_json", is_flag=True)
def key_show(db: str, keys: Path | None, as_json: bool) -> None:
    """Print the city's public key, which every node must have."""
    with clear_errors():
        city_key = load_city_key(keys_dir(db, keys))
    pem = city_key.public_pem.decode()
    shown = {"key_id": key_id(city_key.public), "public_pem": pem}
    click.echo(json.dumps(shown) if as_json else pem, nl=as_json)


@key.command("create")
@click.option("--db", default=DEFAULT_URL, show_default=True, envvar="PLAZA_CENTRAL_DB")
@keys_option
def key_create(db: str, keys: Path | None) -> None:
    """Make the city's keys where they are missing; existing ones stay."""
    with clear_errors():
        directory = keys_dir(db, keys)
        made = create_city_keys(directory)
    click.echo(f"city key {key_id(made.public)} in {directory}")


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
        f"{made.accounts:,} cuentas de demostración al {on}, contenido {made.version} en {made.content}",
        f"llaves de la ciudad en {made.keys}",
        "",
        f"{'para probar':24} {'clave':30} {'debe':>14}  válido hasta",
    ]
    for known in made.known:
        owes = format_mxn(known.total_centavos)
        lines.append(f"{known.shows:24} {known.clave:30} {owes:>14}  {known.valid_until}")
    return "\n".join(lines)
