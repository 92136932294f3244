"""`plaza enrol`: this node joins a city with the one-time code that the city gave."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from municipio.wire.enrolment import EnrolmentProblem, parse_code
from plaza.options import data_option, json_option
from sync.datadir import DataDir
from sync.enrolment import EnrolTrouble, NotEnrolled
from sync.enrolment import enrol as enrol_node

_WHAT_TO_DO = {
    EnrolTrouble.NO_ANSWER: "run the same command again when the city can be reached",
    EnrolTrouble.REFUSED: "check the code letter by letter, or ask the city for a new one",
    EnrolTrouble.NOT_THE_CITY: "check --central and the code; a login page may be in between",
    EnrolTrouble.OTHER_IDENTITY: "use an empty data directory for a new node",
}


@click.command()
@click.option("--code", required=True, help="The code of 16 letters and digits.")
@click.option("--central", "central_url", required=True, help="Address of the city's API.")
@click.option(
    "--ca",
    "ca_file",
    default="",
    type=click.Path(dir_okay=False),
    help="Certificate of the authority that signed the city's (PEM); default: the system's.",
)
@data_option
@json_option
def enrol(code: str, central_url: str, ca_file: str, data: Path, as_json: bool) -> None:
    """Join the city that gave this CODE; may be run again after any interruption."""
    if not central_url.startswith(("http://", "https://")):
        raise click.UsageError("--central must start with http:// or https://")
    parsed = parse_code(code)
    if isinstance(parsed, EnrolmentProblem):
        raise click.UsageError(f"--code: {parsed.detail}")
    try:
        ca_path = str(Path(ca_file).resolve()) if ca_file else ""
        done = enrol_node(DataDir(data), central_url, parsed, ca_path)
    except OSError as e:
        _fail(f"{e.filename or data}: {e.strerror or e}")
    if isinstance(done, NotEnrolled):
        _fail(f"not enrolled: {done.detail}; {_WHAT_TO_DO[done.trouble]}")
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    click.echo(f"Node {done.node}, {done.site}, key {done.key_id}.")
    if done.is_approved:
        click.echo("The city takes its facts from now on.")
    else:
        click.echo(
            f"It works and keeps its facts until the city runs: plaza-central approve {done.node}"
        )


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
