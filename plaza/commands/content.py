"""`plaza content`: install what the city published, and see what is installed."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import click

from municipio.content import ContentProblem
from municipio.settings import Settings, SettingsError
from municipio.wire.keys import KeyFormatError, PublicKey, load_public
from plaza.options import data_option, json_option
from sync.catalogue import CatalogueTrouble, SqliteCatalogue
from sync.content_folder import Installed
from sync.datadir import DataDir
from sync.whole_folder import NodeContent


@click.group()
def content() -> None:
    """The city's trámites, padrón, services and terms on this node."""


@content.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--allow-older", is_flag=True, help="Accept content older than the installed one.")
@data_option
@json_option
def import_(folder: Path, data: Path, allow_older: bool, as_json: bool) -> None:
    """Install a content FOLDER, whole or not at all. The old content stays when it is refused.

    A technicians.json in it, signed by the city, becomes this node's list of technicians with it.
    """
    node = DataDir(data)
    settings = _settings(node)
    city = _city_key(node)
    here = NodeContent(
        node, city, settings.text("city.inegi"), settings.flag("node.padron"),
        lambda line: click.echo(line, err=True),
    )  # fmt: skip
    result = here.install(folder, allow_older=allow_older)
    if isinstance(result, ContentProblem):
        _refuse(result, as_json)
    _say(_summary(result), as_json)


@content.command()
@data_option
@json_option
def show(data: Path, as_json: bool) -> None:
    """Say which content this node serves."""
    with closing(SqliteCatalogue(DataDir(data).catalogue)) as catalogue:
        problem = catalogue.problem
        created = catalogue.content_date()
        tramites, accounts = catalogue.counts()
        version = catalogue.content_version()
    if problem is not None:
        text = {
            CatalogueTrouble.MISSING: "no content is installed; use: plaza content import FOLDER",
            CatalogueTrouble.DAMAGED: "the catalogue is damaged; import the content again",
        }[problem]
        _fail({"ok": False, "problem": problem.value}, text, as_json)
    assert created is not None, "an open catalogue has a date"
    _say(_summary(Installed(version, created, tramites, accounts)), as_json)


def _settings(node: DataDir) -> Settings:
    try:
        return node.settings()
    except SettingsError as e:
        raise click.ClickException(str(e)) from None


def _city_key(node: DataDir) -> PublicKey:
    try:
        return load_public(node.city_pub.read_bytes())
    except FileNotFoundError:
        hint = "this node trusts no city yet; use: plaza node init"
        raise click.ClickException(f"{node.city_pub} is missing: {hint}") from None
    except (OSError, KeyFormatError) as e:
        raise click.ClickException(f"{node.city_pub}: {e}") from None


def _summary(installed: Installed) -> dict[str, Any]:
    return {
        "ok": True,
        "version": installed.version,
        "created": installed.created.isoformat(),
        "tramites": installed.tramites,
        "accounts": installed.accounts,
    }


def _say(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary))
    else:
        click.echo(
            f"content {summary['version']} of {summary['created']}:"
            f" {summary['tramites']} trámites, {summary['accounts']:,} accounts"
        )


def _refuse(problem: ContentProblem, as_json: bool) -> NoReturn:
    document = {
        "ok": False,
        "problem": problem.trouble.value,
        "file": problem.file,
        "reason": problem.reason,
    }
    _fail(document, f"content refused, the installed one stays: {problem}", as_json)


def _fail(document: dict[str, Any], text: str, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps(document))
    click.echo(f"Error: {text}", err=True)
    raise click.exceptions.Exit(1)
