"""`plaza portal`: the visitors' pages."""

from __future__ import annotations

from pathlib import Path

import click

from captive_portal.languages import load_translations
from captive_portal.poster import Paper, render_poster
from captive_portal.site import SiteProblem, parse_site
from captive_portal.status_key import (
    LIFE_MIN,
    MAX_LIFE_MIN,
    key_file,
    load_key,
    make_key,
    make_pass,
)
from captive_portal.wiring import CannotStart, PortalOptions, run_portal
from municipio.settings import SettingsError, parse_settings
from plaza.options import data_option, optional_data_option
from sync.clock import SystemClock, quality_with
from sync.datadir import DataDir


@click.group()
def portal() -> None:
    """The public Wi-Fi's pages."""


@portal.command()
@data_option
@click.option("--listen", default="", metavar="ADDR:PORT", help="Default: portal.listen.")
@click.option("--gate", default=None, type=click.Choice(["memory", "nft"]), help="Which gate.")
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The site's rules (TOML). Default: DATA/site.toml, else the node's settings.",
)
@click.option("--public-url", default="", help="The address that visitors see.")
@click.option("--frame-ancestor", default="", help="Origin that may frame the pages (bench).")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
def run(
    data: Path,
    listen: str,
    gate: str | None,
    site: Path | None,
    public_url: str,
    frame_ancestor: str,
    threads: int,
) -> None:
    """Serve the portal until interrupted.

    With the memory gate a device is its IP address and nothing is really blocked.
    """
    if listen and not _is_address(listen):
        raise click.UsageError("--listen wants ADDR:PORT, for example 127.0.0.1:8380")
    try:
        run_portal(
            PortalOptions(data, listen, gate or "", public_url, frame_ancestor, threads, site)
        )
    except KeyboardInterrupt:
        return
    except (CannotStart, SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from e


@portal.command()
@click.option(
    "--site",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The site's rules (TOML).",
)
@click.option(
    "--out",
    default="letrero.html",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option("--paper", default="letter", show_default=True, type=click.Choice(["letter", "a4"]))
@optional_data_option
def sign(site: Path, out: Path, paper: str, data: Path | None) -> None:
    """Make the poster that goes beside the antenna: one page, printed from any browser."""
    profile = parse_site(site.read_text(encoding="utf-8", errors="replace"))
    if isinstance(profile, SiteProblem):
        raise click.ClickException(f"{site}: {profile}")
    try:
        settings = DataDir(data).settings() if data else parse_settings({})
        page = render_poster(
            profile,
            load_translations(),
            paper=Paper(paper),
            city=settings.text("city.name") if data else "",
            primary=settings.text("city.primary_color"),
        )
        out.write_text(page, encoding="utf-8")
    except (SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from e
    click.echo(f"{out}: open it in a browser and print it at 100 %, without margins")


@portal.command("status-link")
@data_option
@click.option(
    "--minutes", default=LIFE_MIN, show_default=True, type=click.IntRange(1, MAX_LIFE_MIN)
)
@click.option("--new-key", is_flag=True, help="Make another key: every link of before ends.")
@click.option("--url", default="", help="The portal's address. Default: portal.public_url.")
def status_link(data: Path, minutes: int, new_key: bool, url: str) -> None:
    """Print a link to the technician's page of this portal.

    It opens for the first device that uses it, until the minutes are over or the node restarts. The key
    is made on the first call; without it the page does not exist.
    """
    place = DataDir(data)
    try:
        settings = place.settings()
        file = key_file(place.node_key.parent)
        key = None if new_key else load_key(file)
        key = key or make_key(file)
    except (SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from e
    at = SystemClock(place.link_file, quality_with(settings.flag("node.rtc"))).now()
    base = (url or settings.text("portal.public_url")).rstrip("/")
    text = make_pass(key, settings.node_code, at, minutes)
    click.echo(f"{base}/es/tecnico?clave={text}")


def _is_address(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536
