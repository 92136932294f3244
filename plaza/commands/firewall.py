"""`plaza firewall`: the node's own door, closed from the first moment and opened as its settings say."""

from __future__ import annotations

from pathlib import Path

import click

from captive_portal.gate.configure import policy_of
from captive_portal.gate.nft_runner import NftRefused, best_runner
from captive_portal.site import site_file
from municipio.settings import SettingsError
from plaza.firewall import Doors, doors_of, render_open
from plaza.options import data_option
from sync.datadir import DataDir

SSH_KEYS = (Path("/data/system/ssh/authorized_keys"), Path("ssh/authorized_keys"))
"""Where a technician's key is, on the image or below the data directory of a Debian host."""

_more = click.option(
    "--other-tcp",
    multiple=True,
    type=click.IntRange(1, 65535),
    help="One more port for everybody but guests.",
)


@click.group()
def firewall() -> None:
    """Which doors of this node are open."""


@firewall.command("open")
@data_option
@_more
def open_doors(data: Path, other_tcp: tuple[int, ...]) -> None:
    """Open what the settings and the site ask for, close the rest. Needs root.

    Guests get the portal, names and addresses. Everybody else gets nothing, or
    SSH where a technician's key is on this node.
    """
    done = best_runner().run(render_open(_doors(data, other_tcp)))
    if isinstance(done, NftRefused):
        raise click.ClickException(f"is plaza-firewall.service loaded? {done.detail}")


@firewall.command()
@data_option
@_more
def show(data: Path, other_tcp: tuple[int, ...]) -> None:
    """Print what `open` would open; change nothing."""
    doors = _doors(data, other_tcp)
    click.echo(f"guests ({', '.join(doors.guests)}) udp: {_listed(doors.guest_udp)}")
    click.echo(f"guests ({', '.join(doors.guests)}) tcp: {_listed(doors.guest_tcp)}")
    click.echo(f"everybody else tcp: {_listed(doors.other_tcp)}")


def has_ssh_key(data: Path) -> bool:
    """Whether a technician's key is on this node; without one nobody gets in by SSH."""
    files = (data / path for path in SSH_KEYS)  # an absolute path stays what it is
    return any(file.is_file() and file.stat().st_size > 0 for file in files)


def _doors(data: Path, more: tuple[int, ...]) -> Doors:
    try:
        settings = DataDir(data).settings()
        side = policy_of(settings, site=site_file(None, data)).side
    except (SettingsError, OSError, ValueError) as e:
        raise click.ClickException(str(e)) from e
    return doors_of(side, ssh=has_ssh_key(data), more=more)


def _listed(ports: tuple[int, ...]) -> str:
    return ", ".join(map(str, ports)) or "nothing"
