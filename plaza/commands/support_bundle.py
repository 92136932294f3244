"""`plaza support-bundle`: one sealed file for whoever helps from far away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from municipio.settings import SettingsError, parse_settings
from plaza.doctor.host import Host
from plaza.options import existing_data_option
from plaza.support.bundle import gather, seal
from sync.datadir import DataDir


@click.command("support-bundle")
@existing_data_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. Default: plaza-NODE-DATE.tar.gz.age here.",
)
@click.option(
    "--recipient",
    multiple=True,
    metavar="AGE1...",
    help="Seal it for this key instead of support.recipients; may be repeated.",
)
def support_bundle(data: Path, out: Path | None, recipient: tuple[str, ...]) -> None:
    """Put what a helper needs into one file that only the city's technicians can open.

    The doctor's findings, versions, the services and their last lines, settings
    without secrets and the queue's figures. Nothing of any person or device of a
    visitor is in it, and it is never written in the clear.
    """
    place = DataDir(data)
    try:
        settings = place.settings()
    except SettingsError:
        settings = parse_settings({})  # its trouble is in the bundle
    keys = recipient or tuple(settings.text("support.recipients").split())
    if not keys:
        raise click.ClickException(
            "nobody to seal it for: set support.recipients to the technicians' age keys, or --recipient"
        )
    file = out or Path(f"plaza-{settings.node_code}-{datetime.now(UTC):%Y-%m-%d}.tar.gz.age")
    try:
        sealed = seal(gather(place, Host()), keys)
        file.write_bytes(sealed)
    except ValueError as e:
        raise click.ClickException(str(e)) from e
    except OSError as e:
        raise click.ClickException(f"{file}: {e.strerror}") from e
    click.echo(f"{file}: {len(sealed)} bytes, sealed for {len(keys)}")
    click.echo(f"to open it: age -d -i KEYFILE {file.name} | tar xz")
