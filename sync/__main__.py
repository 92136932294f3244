"""`python -m sync run --data DIR`: the worker alone, without the rest of the node."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sync.datadir import DataDir
from sync.run import run_worker


@click.group()
def main() -> None:
    """The node's talk with the city."""


@main.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PLAZA_DATA",
    required=True,
    help="Data directory of the node.",
)
def run(data: Path) -> None:
    """Carry facts to the city until stopped."""
    trouble = run_worker(DataDir(data))
    if trouble is not None:
        click.echo(trouble.detail, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m sync")
