"""`plaza sync pull`: content from the city's repository, or from a mirror of it in a folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from captive_portal.filter.database import Unusable
from captive_portal.filter.store import ListStore
from municipio.settings import SettingsError
from municipio.wire.pulled_content import FILTER_LIST
from sync.datadir import DataDir
from sync.pull import NotPulled, Pulled, PullTrouble, UpToDate
from sync.pull_settings import SettingsRefused, SettingsTaken, pull_settings
from sync.pull_wiring import Outcome, Puller, build_puller
from sync.wiring import CannotStart, open_memory

_EXPLAINED = {
    PullTrouble.CLOCK: "the installed content stays until the clock has proof of the time",
    PullTrouble.UNREACHABLE: "the installed content stays; it is tried again later",
    PullTrouble.OLD: "what the city offers has expired; the installed content stays",
    PullTrouble.NOT_BELIEVED: "somebody may have changed it on the way; the installed content stays",
    PullTrouble.REFUSED: "it cannot be used here; the installed content stays",
}


def commands(options: Callable[[Any], Any]) -> list[click.Command]:
    """`pull`, with the options that all of `plaza sync` have."""

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
        outcome = pull(data, mirror)
        document, said = _told(outcome)
        if as_json:
            click.echo(json.dumps(document))
        elif not isinstance(outcome, NotPulled):
            click.echo(said)
        if isinstance(outcome, NotPulled):
            click.echo(said, err=True)
            sys.exit(1)

    return [command]


def pull(data: Path, mirror: Path | None) -> Outcome:
    """One round of everything that is pulled but software. ClickException when the node cannot."""
    node = DataDir(data)
    memory = open_memory(node)
    if isinstance(memory, CannotStart):
        raise click.ClickException(memory.detail)
    try:
        puller = build_puller(memory, mirror)
        if isinstance(puller, CannotStart):
            raise click.ClickException(puller.detail)
        if isinstance(puller, NotPulled):
            return puller
        try:
            outcome = puller.content(_tell)
            _pull_settings(puller)
            if not isinstance(outcome, NotPulled):
                _pull_filter(puller, node)
            return outcome
        finally:
            puller.close()
    finally:
        memory.close()


def _pull_settings(puller: Puller) -> None:
    """What the city set on this node. Whatever is wrong with it, the former settings stay."""
    try:
        found = pull_settings(puller)
    except (OSError, SettingsError) as e:
        _tell(f"settings: {e}; the former ones stay")
        return
    match found:
        case SettingsTaken(keys):
            _tell(f"settings of the city: {', '.join(keys) or 'none'} changed")
        case SettingsRefused(detail) | NotPulled(_, detail):
            _tell(f"settings: {detail}; the former ones stay")


def _pull_filter(puller: Puller, node: DataDir) -> None:
    """The newest list of names; whatever is wrong with it, the list in use stays and content is served."""
    store, mark = ListStore(node.path / "filter"), node.path / "tuf" / "filter.sha256"
    known = mark.read_text().strip() if mark.exists() else ""
    place = node.path / "tuf" / "names.cdb"
    try:
        found = puller.file(FILTER_LIST, known, place)
        if found is None:
            return
        if isinstance(found, NotPulled):
            _tell(f"filter list: {found.detail}; the list in use stays")
            return
        done = store.install(found.path, puller.city)
        if isinstance(done, Unusable):
            _tell(f"filter list: {done.detail}; the list in use stays")
            return
        mark.write_text(found.digest + "\n")
        _tell(f"filter list of {done.date} is installed")
    except OSError as e:
        _tell(f"filter list: {e.filename}: {e.strerror}; the list in use stays")
    finally:
        place.unlink(missing_ok=True)


def _tell(line: str) -> None:
    click.echo(line, err=True)


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
