"""`plaza-central rollout`: send a published version out by rings, look at it, stop it."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from central.cli_parts import clear_errors, db_options, opened
from central.rollout import LAST_RING, RolloutState
from central.rollout_books import Standing, nodes_of, standings, start, stop
from central.rollout_words import in_english
from central.wiring import utc_now
from municipio.facts import format_time


@click.group()
def rollout() -> None:
    """Updates go to the nodes ring by ring, and stop by themselves when nodes come back."""


@rollout.command("start")
@click.argument("version")
@click.option("--rings", default=3, show_default=True, type=click.IntRange(1, LAST_RING),
              help="How many rings of nodes there are (setting update.ring of each node).")  # fmt: skip
@click.option("--bound", default=10, show_default=True, type=click.IntRange(0, 100),
              help="Percent of a ring's nodes that may fail before it stops.")  # fmt: skip
@click.option("--wait-hours", default=24, show_default=True, type=click.IntRange(0, 24 * 90),
              help="Between the opening of one ring and of the next.")  # fmt: skip
@click.option("--silent-hours", default=72, show_default=True, type=click.IntRange(0, 24 * 365),
              help="A node not heard so long after its go has failed; 0: it has not.")  # fmt: skip
@db_options
def start_(
    version: str, rings: int, bound: int, wait_hours: int, silent_hours: int, db: str, inegi: str
) -> None:
    """Let ring 1 have VERSION now, and the next rings after it; or go on with one that was stopped."""
    with clear_errors(), opened(db) as store:
        start(
            store, inegi, version, utc_now(), rings=rings, bound_percent=bound,
            wait=timedelta(hours=wait_hours), silent=timedelta(hours=silent_hours),
        )  # fmt: skip
    click.echo(f"{version} goes out, ring by ring of {rings}")


@rollout.command("stop")
@click.argument("version")
@click.option("--reason", default="by hand", show_default=True)
@db_options
def stop_(version: str, reason: str, db: str, inegi: str) -> None:
    """Tell no further node to take VERSION; those that have it keep it."""
    with clear_errors(), opened(db) as store:
        stop(store, inegi, version, reason, utc_now())
    click.echo(f"{version} is stopped")


@rollout.command()
@click.argument("version", required=False, default="")
@click.option("--json", "as_json", is_flag=True)
@db_options
def status(version: str, as_json: bool, db: str, inegi: str) -> None:
    """How the roll-outs stand; of one VERSION also its nodes. Exit 1 when it is stopped."""
    with clear_errors(), opened(db) as store:
        found = [s for s in standings(store, inegi, utc_now()) if version in ("", s.plan.version)]
        nodes = nodes_of(store, inegi, version) if version else []
    if version and not found:
        raise click.ClickException(f"{version} was never sent out")
    if as_json:
        listed = [dict(row._mapping) for row in nodes]
        click.echo(json.dumps({"rollouts": [document(s) for s in found], "nodes": listed}))
    else:
        for standing in found:
            click.echo(_text(standing))
        for row in nodes:
            cause = f" ({row.cause})" if row.cause else ""
            click.echo(f"  {row.node}  ring {row.ring}  {row.outcome}{cause}")
        if not found:
            click.echo("nothing goes out")
    if version and found[0].plan.state is RolloutState.STOPPED:
        raise click.exceptions.Exit(1)


def document(standing: Standing) -> dict[str, object]:
    plan = standing.plan
    return {
        "version": plan.version,
        "state": plan.state.value,
        "reason": plan.reason,
        "ring": plan.ring,
        "rings": plan.rings,
        "bound_percent": plan.bound_percent,
        "started_at": format_time(plan.started_at),
        "counts": {
            str(ring): {
                "updated": c.updated, "returned": c.returned, "silent": c.silent,
                "waiting": c.waiting,
            }
            for ring, c in standing.counts.items()
        },
    }  # fmt: skip


def _text(standing: Standing) -> str:
    plan = standing.plan
    why = f": {in_english(plan.reason)}" if plan.reason else ""
    lines = [f"{plan.version}  {plan.state.value}{why}  ring {plan.ring} of {plan.rings}"]
    for ring, count in standing.counts.items():
        lines.append(
            f"  ring {ring}: {count.updated} updated, {count.returned} returned, "
            f"{count.silent} silent, {count.waiting} at it"
        )
    return "\n".join(lines)
