"""`plaza-central publish`: the repository that nodes pull from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from central.publish import publish_content, publish_filter, publish_settings
from central.publish_software import Offer, mirror, publish_software
from central.repository import (
    ROLES,
    Ceremony,
    RepositoryError,
    create_repository,
    refresh,
    renew,
)
from central.wiring import utc_now
from municipio.city_settings import PROFILES
from municipio.wire.software import BOARDS

_REPO = click.option(
    "--repo", required=True, envvar="PLAZA_REPOSITORY",
    type=click.Path(path_type=Path, file_okay=False), help="Directory of the repository.",
)  # fmt: skip
_KEYS = click.option(
    "--keys", required=True, envvar="PLAZA_REPOSITORY_KEYS",
    type=click.Path(path_type=Path, file_okay=False), help="Directory of the signing keys.",
)  # fmt: skip


class _Group(click.Group):
    """Expected trouble is one line on stderr and exit 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RepositoryError as e:
            raise click.ClickException(str(e)) from e
        except OSError as e:
            raise click.ClickException(f"{e.filename}: {e.strerror}") from e


@click.group(cls=_Group)
def publish() -> None:
    """Content, filter lists, settings and software, signed for every node (TUF)."""


@publish.command()
@click.option("--root-keys", default=1, show_default=True, type=click.IntRange(1, 10),
              help="How many people hold a root key.")  # fmt: skip
@click.option("--threshold", default=1, show_default=True, type=click.IntRange(1, 10),
              help="How many of them must sign together.")  # fmt: skip
@_REPO
@_KEYS
def init(root_keys: int, threshold: int, repo: Path, keys: Path) -> None:
    """Make the keys and an empty repository. Move root-*.key and targets.key to the safe afterwards."""
    create_repository(repo, keys, Ceremony(root_keys, threshold), utc_now())
    click.echo(f"repository {repo}; keys {keys}")
    click.echo("daily work needs online.key and the keys of the roles; the others belong in a safe")


@publish.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@_REPO
@_KEYS
def content(folder: Path, repo: Path, keys: Path) -> None:
    """Publish a content FOLDER, with what changed in the padrón since the last versions."""
    done = publish_content(repo, keys, folder, utc_now())
    since = ", ".join(done.deltas) or "none"
    click.echo(f"content {done.version} is published; changes since: {since}")


@publish.command("filter")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_REPO
@_KEYS
def filter_(file: Path, repo: Path, keys: Path) -> None:
    """Publish the list of names FILE, as `plaza filter build` made and `plaza filter sign` signed it."""
    click.echo(f"{publish_filter(repo, keys, file, utc_now())} is published")


@publish.command("settings")
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--profile", type=click.Choice(PROFILES), help="Only for nodes of this kind.")
@click.option("--node", default="", metavar="NODE", help="Only for this node, such as COA007.")
@click.option("--remove", is_flag=True, help="Offer none: nodes go back to what the place says.")
@_REPO
@_KEYS
def settings_(
    file: Path | None, profile: str | None, node: str, remove: bool, repo: Path, keys: Path
) -> None:
    """Publish settings (TOML) for every node, for one profile or for one node, which counts most.

    Only what a city may set is taken; who the node is, its cables and its way to the city are the place's.
    """
    if (file is None) != remove:
        raise click.UsageError("give a FILE, or --remove without one")
    if profile and node:
        raise click.UsageError("give --profile or --node, not both")
    raw = None if file is None else file.read_bytes()
    path, values = publish_settings(repo, keys, raw, utc_now(), profile=profile or "", node=node)
    click.echo(f"{path} is published: {len(values)} settings" if raw else f"{path} is removed")


@publish.command("software")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--version", required=True, help="The bundle's version, such as 1.4.0.")
@click.option("--board", required=True, type=click.Choice(BOARDS))
@click.option("--ledger-schema", required=True, type=click.IntRange(1, 10_000),
              help="Schema of the ledger that this version writes (its image.json says it).")  # fmt: skip
@click.option("--min-ledger-schema", default=1, show_default=True, type=click.IntRange(1, 10_000),
              help="Oldest schema of a version that may be replaced by this one.")  # fmt: skip
@click.option("--ring", default=9, show_default=True, type=click.IntRange(1, 9),
              help="Last ring of nodes that may have it.")  # fmt: skip
@click.option("--not-before", type=click.DateTime(["%Y-%m-%d"]), help="No node installs it before.")
@click.option("--goes-back", is_flag=True, help="It may replace a newer version.")
@_REPO
@_KEYS
def software(
    file: Path, version: str, board: str, ledger_schema: int, min_ledger_schema: int, ring: int,
    not_before: datetime | None, goes_back: bool, repo: Path, keys: Path,
) -> None:  # fmt: skip
    """Publish the update FILE (a RAUC bundle). To send it out by rings: `plaza-central rollout start`."""
    day = None if not_before is None else not_before.date()
    offer = Offer(
        version, board, ledger_schema, min_ledger_schema, ring, not_before=day, goes_back=goes_back
    )
    click.echo(f"{publish_software(repo, keys, file, offer, utc_now())} is published")


@publish.command("mirror")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--only", multiple=True, type=click.Choice(ROLES), help="Roles whose files are copied."
)
@click.option(
    "--board", multiple=True, type=click.Choice(BOARDS), help="Updates of these boards alone."
)
@_REPO
def mirror_(folder: Path, only: tuple[str, ...], board: tuple[str, ...], repo: Path) -> None:
    """Copy what is offered now into FOLDER, for a USB stick (STICK/PLAZA/repo) or a server of files."""
    files, size = mirror(repo, folder, only or ROLES, board)
    click.echo(f"{folder}: {files} files, {size / 1e6:.1f} MB")


@publish.command("refresh")
@_REPO
@_KEYS
def refresh_(repo: Path, keys: Path) -> None:
    """Sign a new timestamp: run it every day, so that a node notices when somebody holds news back."""
    refresh(repo, keys, utc_now())
    click.echo("timestamp renewed")


@publish.command("renew")
@click.argument("which", type=click.Choice(["root", "targets"]))
@_REPO
@_KEYS
def renew_(which: str, repo: Path, keys: Path) -> None:
    """Sign the root or the targets anew with the keys from the safe, before they expire."""
    renew(repo, keys, which, utc_now())
    click.echo(f"{which} renewed")
