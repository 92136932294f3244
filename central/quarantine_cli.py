"""`plaza-central quarantine`: facts that were set aside, to be seen and read again."""

from __future__ import annotations

import click

from central.city import City
from central.cli_parts import clear_errors, db_options, opened
from central.quarantine import read_again, set_aside
from central.rights_audit import operator
from central.wiring import utc_now

_NODE = click.option("--node", default="", help="Only those of this node.")


@click.group()
def quarantine() -> None:
    """Facts that the city could not take in; their places in their chains are kept."""


@quarantine.command("list")
@_NODE
@db_options
def quarantine_list(node: str, db: str, inegi: str) -> None:
    """Show what is set aside and why."""
    with clear_errors(), opened(db) as store:
        rows = set_aside(store, inegi, node)
    for row in rows:
        place = f"{row.node} {row.lane} {row.epoch}: {row.seq}"
        click.echo(f"{place:24} {row.code:14} {row.received_at}  {row.detail}")
    click.echo(f"{len(rows)} facts are set aside", err=True)


@quarantine.command("replay")
@_NODE
@click.option("--who", default="", help="Who does it, for the trail; by default the account.")
@db_options
def quarantine_replay(node: str, who: str, db: str, inegi: str) -> None:
    """Read them again, as after a new version of this program that knows more kinds of facts."""
    with clear_errors(), opened(db) as store:
        done = read_again(store, City(inegi=inegi), utc_now(), operator(who), node)
    click.echo(f"{done.taken} facts are in their chains now, {done.left} stay aside")
