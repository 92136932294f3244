"""The verbs of `plaza site` that run on a node at boot, by its units."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from municipio.acceptance import Sight
from municipio.devices import PrintVerdict
from municipio.settings import SettingsError
from municipio.site_file.state import SiteStanding
from plaza.options import data_option, json_option
from plaza.site.apply import apply_site, note_boot, note_stop
from plaza.site.disk import NodeDisk
from plaza.site.enrol import Waiting, try_enrolment
from plaza.site.sheet import Sheet, read_sheet
from sync.acceptance import SightBook
from sync.clock import BOOT_ID
from sync.datadir import DataDir

BOOT = Path("/boot/plaza")
SYSTEM = Path("data/system")
_WORDS = {
    SiteStanding.GOOD: "correcto",
    SiteStanding.KEPT: "el archivo no se puede usar; el nodo sigue con el anterior",
    SiteStanding.WAITING: "el nodo espera un archivo correcto",
}
LATER = 75
"""EX_TEMPFAIL of sysexits.h: the timer tries again."""


def _places(command: Callable[..., Any]) -> Callable[..., Any]:
    boot = click.option(
        "--boot", type=click.Path(path_type=Path, file_okay=False), default=BOOT, show_default=True,
        help="The boot partition, where plaza.toml is.",
    )  # fmt: skip
    root = click.option(
        "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"),
        show_default=True, help="Where the system's own /data/system is.",
    )  # fmt: skip
    return boot(data_option(root(command)))


@click.command("apply")
@_places
@json_option
def apply_verb(boot: Path, data: Path, root: Path, as_json: bool) -> None:
    """Make this node be what its plaza.toml says. Safe to cut and to run again; exit 1 for a wrong file.

    Writes the settings, the site's rules and the network's files, moves secrets from the card's open
    partition to the data, and explains a wrong file in plaza-error.txt and on the node's screens.
    """
    disk = NodeDisk(boot, data, root / SYSTEM)
    try:
        applied = apply_site(disk)
        note_boot(disk, data, BOOT_ID.read_text().strip())
    except OSError as e:
        click.echo(f"{e.filename or data}: {e.strerror or e}", err=True)
        sys.exit(1)
    state = applied.state
    if as_json:
        told = {
            "standing": state.standing.value,
            "node": state.node,
            "faults": state.faults,
            "refused": applied.refused,
        }
        click.echo(json.dumps(told | {"changed": applied.changed}, ensure_ascii=False))
    else:
        click.echo(f"{state.node or 'nodo sin nombre'}: {_WORDS[state.standing]}")
        for line in (*state.faults, *applied.refused):
            click.echo(line, err=True)
    sys.exit(0 if state.standing is SiteStanding.GOOD else 1)


@click.command("stopping")
@_places
def stopping(boot: Path, data: Path, root: Path) -> None:
    """Note an orderly stop, so that the next start is not taken for one after a power cut."""
    try:
        note_stop(NodeDisk(boot, data, root / SYSTEM), data)
    except OSError as e:
        click.echo(f"{e.filename or data}: {e.strerror or e}", err=True)
        sys.exit(1)


@click.command("enrol")
@data_option
def enrol_verb(data: Path) -> None:
    """Join the city with the code of plaza.toml, if it still waits. Exit 75: try again later."""
    try:
        tried = try_enrolment(DataDir(data))
    except OSError as e:
        click.echo(f"{e.filename or data}: {e.strerror or e}", err=True)
        sys.exit(1)
    if tried.waiting is None:
        click.echo(f"Nodo {tried.node}: dado de alta en la ciudad.")
        return
    if tried.waiting is Waiting.NOTHING:
        click.echo(tried.detail or "ningún código espera")
        return
    click.echo(tried.detail, err=True)
    sys.exit(LATER if tried.waiting is Waiting.LATER else 1)


@click.command("sheet")
@data_option
@click.option(
    "--html", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write a page."
)
@click.option(
    "--print", "on_paper", is_flag=True, help="Print it. A running kiosk holds the printer."
)
@json_option
def sheet(data: Path, out: Path | None, on_paper: bool, as_json: bool) -> None:
    """The acceptance sheet: what this node has seen work. Exit 1 while something is missing."""
    try:
        made = read_sheet(DataDir(data))
        if out is not None:
            out.write_text(made.page(), encoding="utf-8")
    except (OSError, SettingsError) as e:
        click.echo(str(e), err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([asdict(s) for s in made.steps], ensure_ascii=False))
    else:
        click.echo("\n".join(made.lines()))
    if on_paper:
        _print(made, DataDir(data))
    sys.exit(0 if made.is_accepted else 1)


def _print(made: Sheet, data: DataDir) -> None:
    from hardware.printer.driver import ReceiptPrinter
    from hardware.printer.profiles import PROFILES

    settings = made.settings
    if not settings.text("printer.port"):
        raise click.ClickException("este nodo no tiene impresora")
    profile = PROFILES[settings.text("printer.profile")]
    printer = ReceiptPrinter(
        settings.text("printer.port"), settings.number("printer.baud"), profile
    )
    try:
        result = printer.print_rendered(printer.render(made.paper()))
    finally:
        printer.close()
    if result.verdict is not PrintVerdict.PRINTED:
        raise click.ClickException(f"la impresora no confirmó el papel: {result.verdict.value}")
    SightBook(data).note(Sight.RECEIPT)


VERBS = (apply_verb, stopping, enrol_verb, sheet)
