"""`plaza-central publish`: the repository that nodes pull from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from central.publish import publish_content, publish_filter
from central.repository import (
    ROLES,
    Ceremony,
    RepositoryError,
    add_files,
    create_repository,
    refresh,
    renew,
)
from central.wiring import utc_now

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


@publish.command("file")
@click.argument("role", type=click.Choice([r for r in ROLES if r not in ("content", "filter")]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--as", "name", default="", help="Name inside the role; by default the file's own.")
@_REPO
@_KEYS
def file_(role: str, file: Path, name: str, repo: Path, keys: Path) -> None:
    """Publish a FILE of ROLE: settings, an update."""
    path = f"{role}/{name or file.name}"
    add_files(repo, keys, role, {path: file.read_bytes()}, utc_now())
    click.echo(f"{path} is published")


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
