"""`plaza-central` for the fleet: the nodes that may send, and how a node comes to be one."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from central.cli_parts import clear_errors, db_options, opened
from central.enrolment import Enrolling, make_code, next_free_node
from central.fleet import set_place
from central.nodes import NodeState, add_node, list_nodes, set_state
from central.wiring import utc_now
from municipio.wire.keys import load_public

DAYS = 14


@click.command("enrol-code")
@click.option("--site", required=True, help="Name of the place, as the fleet's pages show it.")
@click.option("--node", "node_code", default="", help="Node code; by default the next free one.")
@click.option("--city-code", default="COA", show_default=True, help="Letters of the node codes.")
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1, 365))
@click.option("--preapproved", is_flag=True, help="The node serves at once, without `approve`.")
@click.option("--json", "as_json", is_flag=True)
@db_options
def enrol_code(
    site: str, node_code: str, city_code: str, days: int, preapproved: bool, as_json: bool,
    db: str, inegi: str,
) -> None:  # fmt: skip
    """Make a one-time code that a technician types at the node; it is shown this once."""
    with clear_errors(), opened(db) as store:
        wanted = node_code or next_free_node(store, inegi, city_code)
        enrolling = Enrolling(wanted, site, timedelta(days=days), preapproved)
        code = make_code(store, inegi, enrolling, secrets.randbelow, utc_now())
    if as_json:
        click.echo(json.dumps({"node": wanted, "site": site, "code": str(code), "days": days}))
        return
    click.echo(f"{code}")
    after = "serves at once" if preapproved else f"waits for: plaza-central approve {wanted}"
    click.echo(f"{wanted}, {site}: good for {days} days and one node, which then {after}", err=True)


@click.command()
@click.argument("code", metavar="NODE")
@db_options
def approve(code: str, db: str, inegi: str) -> None:
    """Let an enrolled NODE send and ask."""
    _set(db, inegi, code, NodeState.ACTIVE, "is approved")


@click.command()
@click.argument("code", metavar="NODE")
@db_options
def release(code: str, db: str, inegi: str) -> None:
    """End the quarantine of NODE: what it and its other card sent takes effect."""
    _set(db, inegi, code, NodeState.ACTIVE, "is released")


@click.command()
@click.argument("code", metavar="NODE")
@db_options
def revoke(code: str, db: str, inegi: str) -> None:
    """Refuse NODE's requests from now on; its facts and receipts stay valid."""
    _set(db, inegi, code, NodeState.REVOKED, "is revoked")


def _set(db: str, inegi: str, code: str, state: NodeState, done: str) -> None:
    with clear_errors(), opened(db) as store:
        set_state(store, inegi, code, state)
    click.echo(f"{code} {done}")


@click.group()
def node() -> None:
    """The nodes that may send."""


@node.command("add")
@click.argument("code", metavar="NODE")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path),
              help="The node's public key (PEM).")  # fmt: skip
@click.option("--replace", is_flag=True, help="Retire the key that the node had before.")
@db_options
def node_add(code: str, key_file: Path, replace: bool, db: str, inegi: str) -> None:
    """Register NODE (such as COA007) with its public key."""
    with clear_errors(), opened(db) as store:
        public = load_public(key_file.read_bytes())
        identifier = add_node(store, inegi, code, public, utc_now(), replace=replace)
    click.echo(f"{code} is registered with key {identifier}")


@node.command("list")
@db_options
@click.option("--json", "as_json", is_flag=True)
def node_list(db: str, inegi: str, as_json: bool) -> None:
    """List the nodes with their last contact."""
    with clear_errors(), opened(db) as store:
        rows = list_nodes(store, inegi)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        contact = row.last_contact_at or "never"
        why = f"  ({row.note})" if row.note else ""
        state = f"{row.state:11}{why}"
        click.echo(f"{row.node}  {state}  {row.facts:8} facts  last contact {contact}  {row.site}")
    if not rows:
        click.echo("no node is registered")


@node.command("place")
@click.argument("code", metavar="NODE")
@click.option("--lat", required=True, type=float, help="Degrees north, such as 18.1345.")
@click.option("--lon", required=True, type=float, help="Degrees east; in Mexico negative.")
@db_options
def node_place(code: str, lat: float, lon: float, db: str, inegi: str) -> None:
    """Say where NODE stands, for the map of the fleet."""
    with clear_errors(), opened(db) as store:
        set_place(store, inegi, code, lat, lon, utc_now())
    click.echo(f"{code} is at {lat}, {lon}")


node.add_command(revoke)
