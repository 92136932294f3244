"""`plaza sync pull`: content from the city's repository, or from a mirror of it in a folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sync.datadir import DataDir
from sync.pull import NotPulled, Pulled, PullTrouble, UpToDate
from sync.pull_wiring import Outcome, pull
from sync.wiring import CannotStart, open_memory

_EXPLAINED = {
    PullTrouble.CLOCK: "the installed content stays until the clock has proof of the time",
    PullTrouble.UNREACHABLE: "the installed content stays; it is tried again later",
    PullTrouble.OLD: "what the city offers has expired; the installed content stays",
    PullTrouble.NOT_BELIEVED: "somebody may have changed it on the way; the installed content stays",
    PullTrouble.REFUSED: "it cannot be used here; the installed content stays",
}


def pull_command(options: Callable[[Any], Any]) -> click.Command:
    """The command, with the options that all of `plaza sync` have."""

    @click.command("pull")
    @click.option(
        "--from",
        "mirror",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="A mirror of the city's repository in a folder, such as a stick.",
    )
    @options
    def command(mirror: Path | None, data: Path, as_json: bool) -> None:
        """Take newer content when the city has some: whole or not at all."""
        outcome = _pull(data, mirror)
        document, said = _told(outcome)
        if as_json:
            click.echo(json.dumps(document))
        elif not isinstance(outcome, NotPulled):
            click.echo(said)
        if isinstance(outcome, NotPulled):
            click.echo(said, err=True)
            sys.exit(1)

    return command


def _pull(data: Path, mirror: Path | None) -> Outcome:
    memory = open_memory(DataDir(data))
    if isinstance(memory, CannotStart):
        raise click.ClickException(memory.detail)
    try:
        outcome = pull(memory, mirror, lambda line: click.echo(line, err=True))
    finally:
        memory.close()
    if isinstance(outcome, CannotStart):
        raise click.ClickException(outcome.detail)
    return outcome


def _told(outcome: Outcome) -> tuple[dict[str, Any], str]:
    match outcome:
        case Pulled(version, moved, was_delta):
            how = "only what changed" if was_delta else "whole"
            document = {"ok": True, "version": version, "bytes": moved, "delta": was_delta}
            return document, f"content {version} is installed ({moved} bytes, the padrón {how})"
        case UpToDate(version):
            return {"ok": True, "version": version, "bytes": 0}, f"content {version} is the newest"
        case NotPulled(trouble, detail):
            document = {"ok": False, "trouble": trouble.value, "detail": detail}
            return document, f"{detail}: {_EXPLAINED[trouble]}"
