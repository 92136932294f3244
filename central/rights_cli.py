"""`plaza-central rights`, `retention` and `staff`: data rights and who may look."""

from __future__ import annotations

import json
from pathlib import Path

import click

from central.cli_parts import clear_errors, db_options, opened
from central.rights import Erased, Kept, NoFolio, erase
from central.rights_audit import (
    TokenError,
    list_tokens,
    make_token,
    newest,
    operator,
    revoke_token,
)
from central.rights_export import export
from central.rights_retention import RETENTION_DAYS, RetentionError, apply, parse_retention
from central.wiring import utc_now

_OF = click.option("--of", default="", metavar="ID",
                   help="Which matter, where two copies of a card gave the folio to several.")  # fmt: skip
_WHO = click.option("--who", default="", help="Who does it, for the trail; by default the account.")


@click.group()
def rights() -> None:
    """Requests of people about their own data, by folio."""


@rights.command("export")
@click.argument("folio")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder to make; it must not exist.")  # fmt: skip
@_OF
@_WHO
@db_options
def rights_export(folio: str, out: Path, of: str, who: str, db: str, inegi: str) -> None:
    """Write everything that the city holds about FOLIO into a folder."""
    if out.exists():
        raise click.ClickException(f"{out} exists")
    with clear_errors(), opened(db) as store:
        found = export(store, inegi, folio, out, who=operator(who), at=utc_now(), of=of)
    if isinstance(found, NoFolio):
        raise click.ClickException(_none(folio, found))
    if isinstance(found, Kept):
        raise click.ClickException(f"{folio} was not exported: {found.why}")
    click.echo(f"{len(found.facts)} facts and {len(found.attachments)} files of {folio} in {out}")


@rights.command("erase")
@click.argument("folio")
@click.option("--why", required=True, help="Number of the request, such as ARCO-014/2026.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_OF
@_WHO
@db_options
def rights_erase(folio: str, why: str, yes: bool, of: str, who: str, db: str, inegi: str) -> None:
    """Erase what FOLIO's facts hold about a person; place, state and hash stay."""
    if not yes:
        click.confirm(f"Erase the content of {folio} for ever?", abort=True)
    with clear_errors(), opened(db) as store:
        done = erase(store, inegi, folio, who=operator(who), why=why, at=utc_now(), of=of)
    if isinstance(done, NoFolio):
        raise click.ClickException(_none(folio, done))
    if isinstance(done, Kept):
        raise click.ClickException(f"{folio} was not erased: {done.why}")
    assert isinstance(done, Erased)
    click.echo(f"{done.facts} facts and {done.attachments} files of {folio} are erased")
    click.echo(
        "backups keep them until they are thrown away; offices keep what they opened", err=True
    )


@rights.command("audit")
@click.option("--folio", default="", help="Only what was done about this folio.")
@click.option("--json", "as_json", is_flag=True)
@db_options
def rights_audit(folio: str, as_json: bool, db: str, inegi: str) -> None:
    """Show who looked at what, newest first."""
    with clear_errors(), opened(db) as store:
        rows = newest(store, inegi, folio.strip().upper())
    if as_json:
        click.echo(json.dumps([dict(row._mapping) for row in rows], ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row.at}  {row.who:20}  {row.what:18}  {row.folio:20}  {row.detail}".rstrip())


@click.group()
def retention() -> None:
    """How long the content of facts is kept."""


@retention.command("apply")
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="TOML with [retention]: days by kind of fact, 0 for ever.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@_WHO
@db_options
def retention_apply(config: Path | None, dry_run: bool, who: str, db: str, inegi: str) -> None:
    """Erase the content of facts whose time is over; place and hash stay."""
    try:
        days = parse_retention(config.read_text(encoding="utf-8")) if config else RETENTION_DAYS
    except RetentionError as e:
        raise click.ClickException(f"{config}: {e}") from e
    with clear_errors(), opened(db) as store:
        done = apply(store, inegi, days, utc_now(), who=operator(who), dry_run=dry_run)
    for kind in sorted({*done.erased, *done.open}):
        waiting = f", {done.open[kind]} wait for the end of their matter" if done.open[kind] else ""
        click.echo(f"{kind.value:22} {done.erased[kind]:>8}{waiting}")
    would = "would be erased" if dry_run else "are erased"
    click.echo(f"{done.erased.total()} facts and {done.files} files {would}")


@retention.command("show")
def retention_show() -> None:
    """Print the plazos that hold without a file, as one to start from."""
    click.echo("[retention]  # days since arrival; 0 is for ever")
    for kind, days in RETENTION_DAYS.items():
        if days:
            click.echo(f'"{kind.value}" = {days}')


@click.group()
def staff() -> None:
    """Tokens of the staff: who may see the pages."""


@staff.command("add")
@click.argument("name")
@db_options
def staff_add(name: str, db: str, inegi: str) -> None:
    """Make a token for NAME (a post, such as «operador-2»); it is shown this once."""
    with clear_errors(), opened(db) as store:
        try:
            click.echo(make_token(store, inegi, name, utc_now()))
        except TokenError as e:
            raise click.ClickException(str(e)) from e


@staff.command("remove")
@click.argument("name")
@db_options
def staff_remove(name: str, db: str, inegi: str) -> None:
    """Refuse the token of NAME from now on."""
    with clear_errors(), opened(db) as store:
        try:
            revoke_token(store, inegi, name, utc_now())
        except TokenError as e:
            raise click.ClickException(str(e)) from e
    click.echo(f"the token of {name} is refused from now on")


@staff.command("list")
@db_options
def staff_list(db: str, inegi: str) -> None:
    """The names that have a token, and those that had one."""
    with clear_errors(), opened(db) as store:
        rows = list_tokens(store, inegi)
    for row in rows:
        ended = f"refused since {row.revoked_at}" if row.revoked_at else "good"
        click.echo(f"{row.name:24} {ended}, made {row.made_at}")
    if not rows:
        click.echo("no token but the one that the program is started with")


def _none(folio: str, found: NoFolio) -> str:
    return (
        f"{folio} is no folio, or mistyped" if found.mistyped else f"nothing is held about {folio}"
    )
