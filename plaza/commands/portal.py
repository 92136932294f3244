"""`plaza portal`: the visitors' pages."""

from __future__ import annotations

from pathlib import Path

import click

from captive_portal.wiring import CannotStart, PortalOptions, run_portal
from municipio.settings import SettingsError


@click.group()
def portal() -> None:
    """The public Wi-Fi's pages."""


@portal.command()
@click.option("--data", envvar="PLAZA_DATA", required=True, type=click.Path(path_type=Path))
@click.option("--listen", default="", metavar="ADDR:PORT", help="Default: portal.listen.")
@click.option("--gate", default=None, type=click.Choice(["memory", "nft"]), help="Which gate.")
@click.option("--public-url", default="", help="The address that visitors see.")
@click.option("--frame-ancestor", default="", help="Origin that may frame the pages (bench).")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
def run(
    data: Path, listen: str, gate: str | None, public_url: str, frame_ancestor: str, threads: int
) -> None:
    """Serve the portal until interrupted.

    With the memory gate a device is its IP address and nothing is really blocked.
    """
    if listen and not _is_address(listen):
        raise click.UsageError("--listen wants ADDR:PORT, for example 127.0.0.1:8380")
    try:
        run_portal(PortalOptions(data, listen, gate or "", public_url, frame_ancestor, threads))
    except KeyboardInterrupt:
        return
    except (CannotStart, SettingsError, OSError) as e:
        raise click.ClickException(str(e)) from e


def _is_address(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536
