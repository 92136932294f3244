"""`plaza content`: install what the city published, and see what is installed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from municipio.content import ContentProblem
from municipio.settings import Settings, SettingsError
from municipio.wire.keys import KeyFormatError, PublicKey, load_public, verify
from municipio.wire.technician_list import MAX_LIST_BYTES, ListProblem, ListTrouble
from sync.allow_list import LIST_NAME, check_list, list_file, store_list
from sync.catalogue import CatalogueTrouble, SqliteCatalogue
from sync.content_folder import Installed, install_content
from sync.datadir import DataDir

_data = click.option(
    "--data",
    envvar="PLAZA_DATA",
    required=True,
    type=click.Path(path_type=Path),
    help="Data directory of the node.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer for machines.")


@click.group()
def content() -> None:
    """The city's trámites, padrón, services and terms on this node."""


@content.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--allow-older", is_flag=True, help="Accept content older than the installed one.")
@_data
@_as_json
def import_(folder: Path, data: Path, allow_older: bool, as_json: bool) -> None:
    """Install a content FOLDER, whole or not at all. The old content stays when it is refused.

    A technicians.json in it, signed by the city, becomes this node's list of technicians with it.
    """
    node = DataDir(data)
    settings = _settings(node)
    city = _city_key(node)
    listed = _technicians(folder, node, city, settings)
    if isinstance(listed, ContentProblem):
        _refuse(listed, as_json)
    result = install_content(
        folder,
        node.catalogue,
        verify=partial(verify, city),
        inegi=settings.text("city.inegi"),
        allow_older=allow_older,
        with_padron=settings.flag("node.padron"),
    )
    if isinstance(result, ContentProblem):
        _refuse(result, as_json)
    if isinstance(listed, bytes):
        try:
            store_list(node, listed)
        except OSError as e:
            raise click.ClickException(f"{list_file(node)}: {e.strerror}") from e
    _say(_summary(result), as_json)


def _technicians(
    folder: Path, node: DataDir, city: PublicKey, settings: Settings
) -> bytes | ContentProblem | None:
    """The technicians' list that may lie in the folder, checked; None without one to install.

    It carries its own signature and serial, so an older one beside newer content is only left alone.
    """
    try:
        with (folder / LIST_NAME).open("rb") as file:
            raw = file.read(MAX_LIST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as e:
        return ContentProblem(LIST_NAME, f"it cannot be read: {e.strerror}")
    listed = check_list(node, raw, city, settings.text("city.inegi"))
    if not isinstance(listed, ListProblem):
        return raw
    if listed.trouble is ListTrouble.OLDER:
        click.echo(f"{LIST_NAME}: {listed.detail}; the installed list stays", err=True)
        return None
    return ContentProblem(LIST_NAME, f"{listed.trouble.value}: {listed.detail}".rstrip(": "))


@content.command()
@_data
@_as_json
def show(data: Path, as_json: bool) -> None:
    """Say which content this node serves."""
    catalogue = SqliteCatalogue(DataDir(data).catalogue)
    problem = catalogue.problem
    if problem is not None:
        text = {
            CatalogueTrouble.MISSING: "no content is installed; use: plaza content import FOLDER",
            CatalogueTrouble.DAMAGED: "the catalogue is damaged; import the content again",
        }[problem]
        _fail({"ok": False, "problem": problem.value}, text, as_json)
    created = catalogue.content_date()
    assert created is not None, "an open catalogue has a date"
    tramites, accounts = catalogue.counts()
    _say(_summary(Installed(catalogue.content_version(), created, tramites, accounts)), as_json)


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
