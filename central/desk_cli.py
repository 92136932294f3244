"""`plaza-central open`: the desk of an office, on the official's own machine, with the office's key."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import click
import httpx2

from central.cli_parts import clear_errors, db_options, opened
from central.desk import Desk, DeskError, load_identity, to_csv
from central.desk_client import TIMEOUT_S, fetch, take_bundle, tell_openings, write_openings
from central.desk_log import LogFault, decode_log
from central.desk_openings import LogTaken, take_log
from central.desk_page import create_desk_page
from central.keys import OFFICES
from central.server import serve
from central.wiring import utc_now
from municipio.wire.keys import PublicKey, load_public

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("open")
@click.option("--office", required=True, type=click.Choice(OFFICES))
@click.option("--key", required=True, type=_FILE, help="The office's age key.")
@click.option("--city-key", required=True, type=_FILE, help="The city's public key.")
@click.option("--desk", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of this machine where sealed matters and the log are kept.")  # fmt: skip
@click.option("--url", default="", metavar="URL", help="Fetch what is new from the city.")
@click.option("--ca", type=_FILE, help="Certificate authority of the city's server.")
@click.option("--from", "source", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Read what a stick carries, without a network.")  # fmt: skip
@click.option("--who", default="", help="Who opens; by default the user of this machine.")
@click.option("--folio", multiple=True, help="Open these now instead of showing the page.")
@click.option("--of", default="", metavar="ID",
              help="Which matter, where two copies of a card gave the folio to several.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Open every matter that was never opened.")
@click.option("--why", default="", help="Why they are opened; it is written into the log.")
@click.option("--csv", "out", type=click.Path(path_type=Path, dir_okay=False),
              help="Write what is opened there.")  # fmt: skip
@click.option("--port", default=0, show_default=True, help="Of the page; 0 is any.")
def open_(
    office: str, key: Path, city_key: Path, folder: Path, url: str, ca: Path | None,
    source: Path | None, who: str, folio: tuple[str, ...], of: str, everything: bool, why: str,
    out: Path | None, port: int,
) -> None:  # fmt: skip
    """Fetch what is sealed to an office, open it here, and write down each opening."""
    if (folio or everything) and not why.strip():
        raise click.UsageError("say why: --why TEXT")
    with clear_errors():
        try:
            identity = load_identity(key)
            city = load_public(city_key.read_bytes())
            desk = Desk(folder, office, identity, who or getpass.getuser())
        except DeskError as e:
            raise click.ClickException(str(e)) from e
        try:
            if source is not None:
                click.echo(
                    f"{take_bundle(desk, source, city)} asuntos nuevos en {source}", err=True
                )
            if url:
                verify = str(ca) if ca else True
                with httpx2.Client(base_url=url, timeout=TIMEOUT_S, verify=verify) as client:
                    click.echo(f"{fetch(desk, client, city, identity)} asuntos nuevos", err=True)
                _tell(desk, url, ca, None, city, identity)  # of the last time
            if folio or everything:
                wanted = tuple((one, of) for one in folio) or desk.never_opened()
                _write(desk, wanted, why, out)
            else:
                _show(desk, port)
        except DeskError as e:
            raise click.ClickException(str(e)) from e
        finally:
            _tell(desk, url, ca, source, city, identity)


def _tell(
    desk: Desk, url: str, ca: Path | None, source: Path | None, city: PublicKey, identity: Any
) -> None:
    """Let the city know who opened what: over the network, or on the stick that goes back."""
    try:
        if source is not None:
            write_openings(desk, source)
        if url:
            with httpx2.Client(
                base_url=url, timeout=TIMEOUT_S, verify=str(ca) if ca else True
            ) as c:
                tell_openings(desk, c, city, identity)
    except (DeskError, OSError) as e:
        click.echo(f"la bitácora no llegó a la ciudad; irá la próxima vez: {e}", err=True)


@click.command()
@click.argument("files", nargs=-1, required=True,
                type=click.Path(path_type=Path, exists=True, dir_okay=False))  # fmt: skip
@db_options
def openings(files: tuple[Path, ...], db: str, inegi: str) -> None:
    """Take the logs of openings that a stick brought back (FILES: *.openings) into the audit trail."""
    refused = False
    with clear_errors(), opened(db) as store:
        for file in sorted(files):
            log = decode_log(file.read_bytes())
            taken = log if isinstance(log, LogFault) else take_log(store, inegi, log, utc_now())
            if isinstance(taken, LogTaken):
                click.echo(f"{file.name}: {taken.fresh} openings are new, {taken.rows} are known")
            else:
                refused = True
                click.echo(f"{file.name}: {taken.detail}", err=True)
    if refused:
        raise click.exceptions.Exit(1)


def _write(desk: Desk, wanted: tuple[tuple[str, str], ...], why: str, out: Path | None) -> None:
    opened = [one for folio, of in wanted for one in desk.open(folio, why, utc_now(), of)]
    text = to_csv(opened)
    if out is None:
        click.echo(text, nl=False)
        return
    out.touch(mode=0o600)
    out.write_text("\ufeff" + text, encoding="utf-8", newline="")
    click.echo(f"{len(opened)} asuntos abiertos en {out}", err=True)


def _show(desk: Desk, port: int) -> None:
    app, secret = create_desk_page(desk, utc_now)
    serve(
        app, "127.0.0.1", port, lambda p: click.echo(f"escritorio: http://127.0.0.1:{p}/{secret}/")
    )
