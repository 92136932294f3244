"""`plaza site`: the file of one place, from the question to the node that does what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from municipio.site_file.fault import SiteFault, fault_lines
from municipio.site_file.judge import typed_words
from municipio.site_file.keys import SECTIONS
from municipio.site_file.reference import keys_page
from municipio.site_file.shape import Key, Kind
from municipio.site_file.write import write_site_file
from plaza.options import json_option
from plaza.site import SitePlan, parse_site_file
from plaza.site.card import CardTrouble, put_site
from plaza.site.node_verbs import VERBS
from plaza.site.questions import ask_site

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def site() -> None:
    """The file of one place (plaza.toml): make it, judge it, put it on a card, apply it."""


@site.command()
@click.argument("file", type=_FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Judge a site FILE; every fault at once, with its line. Exit 1 if there is one."""
    judged = parse_site_file(_read(file))
    faults = () if isinstance(judged, SitePlan) else judged
    if as_json:
        told = {"ok": not faults, "faults": [f.plain() for f in faults]}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif isinstance(judged, SitePlan):
        click.echo(f"{file}: correcto ({judged.node_code}, {judged.text('site.name')})")
    else:
        _tell(file, faults)
    sys.exit(1 if faults else 0)


@site.command()
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default="plaza.toml",
    show_default=True, help="File to write; one that exists is not overwritten.",
)  # fmt: skip
def new(out: Path) -> None:
    """Ask about a place and write its commented file. Enter takes what is in brackets."""
    if out.exists():
        _fail(f"{out} ya existe; no se cambió nada")
    section = ""

    def ask(key: Key, default: str) -> str:
        nonlocal section
        if key.section != section:
            section = key.section
            click.secho(f"\n{SECTIONS[section]}", bold=True)
        return _ask(key, default)

    text = write_site_file(ask_site(ask, lambda words: click.echo(f"  {words}"), {}))
    faults = parse_site_file(text.encode())
    if not isinstance(faults, SitePlan):
        _tell(out, faults)
        sys.exit(1)
    try:
        out.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    except OSError as e:
        _fail(f"{out}: {e.strerror}")
    click.echo(f"\n{out}: listo. Cópielo a la partición PLAZA de la tarjeta.")


@site.command()
@click.argument("image", type=click.Path(path_type=Path, exists=True))
@click.option("--site", "file", type=_FILE, required=True, help="The checked site file.")
def prepare(image: Path, file: Path) -> None:
    """Check the site FILE, then write it into the boot partition of IMAGE (a file or a card's device)."""
    raw = _read(file)
    judged = parse_site_file(raw)
    if not isinstance(judged, SitePlan):
        _tell(file, judged)
        click.echo(f"{image}: no se cambió nada", err=True)
        sys.exit(1)
    trouble = put_site(image, raw)
    if isinstance(trouble, CardTrouble):
        _fail(trouble.what)
    click.echo(f"{image}: lista para {judged.node_code}, {judged.text('site.name')}")


@site.command()
@click.option("--markdown", is_flag=True, help="The reference page.")
@json_option
def keys(markdown: bool, as_json: bool) -> None:
    """Every key of the site file, with what it is and what may stand there."""
    from municipio.site_file.form import spec_document

    if as_json:
        click.echo(json.dumps(spec_document(), ensure_ascii=False))
    elif markdown:
        click.echo(keys_page())
    else:
        for key in spec_document()["keys"]:
            click.echo(f"{key['name']:<24} {key['label']}: {key['help']}")


for _verb in VERBS:
    site.add_command(_verb)


@site.command("card-files")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write to.",
)
def card_files(out: Path) -> None:
    """Write what a technician finds beside plaza.toml: nuevo-sitio.html (works off line) and LEEME.txt."""
    from plaza.site.page import PAGE_NAME, offline_page, read_me
    from plaza.site.sheet import program_version

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / PAGE_NAME).write_text(offline_page(program_version()), encoding="utf-8")
        (out / "LEEME.txt").write_bytes(read_me())
    except OSError as e:
        _fail(f"{e.filename}: {e.strerror}")
    click.echo(f"{out}: {PAGE_NAME}, LEEME.txt")


def _ask(key: Key, default: str) -> str:
    click.echo(f"{key.label}. {key.help}")
    if key.kind is Kind.CHOICE:
        for number, (value, words) in enumerate(key.choices, 1):
            click.echo(f"  {number}. {words} ({value})")
    elif key.allowed:
        click.echo(f"  {typed_words(key)}")
    answer: str = click.prompt("", default=default, show_default=bool(default), prompt_suffix="> ")
    return answer


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(1 << 20)
    except OSError as e:
        _fail(f"{file}: {e.strerror}")


def _tell(file: Path, faults: tuple[SiteFault, ...]) -> None:
    for line in fault_lines(faults):
        click.echo(f"{file}: {line}", err=True)


def _fail(text: str) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(1)
