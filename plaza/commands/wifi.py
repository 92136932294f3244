"""`plaza wifi`: the network on the air, or the cable to the access points."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from captive_portal.gate.neighbours import KernelNeighbours
from captive_portal.site import SiteProblem, SiteProfile, parse_site, site_file, site_of_settings
from captive_portal.wifi.control import plain_mac
from captive_portal.wifi.hostapd_conf import render_hostapd
from captive_portal.wifi.plan import NOTE_TEXT, Cause, NoPlan, WifiPlan, make_plan
from captive_portal.wifi.report import WifiReport, report_lines, report_of
from captive_portal.wifi.supervisor import WifiSupervisor, ask_to_reload
from captive_portal.wifi.system import RUNTIME, HostapdCli, Silent, look_at, radio_of
from municipio.settings import SettingsError
from plaza.options import data_or_here_option, json_option
from sync.datadir import DataDir
from sync.notify import supervisor

_Command = Callable[..., Any]


def _options(command: _Command) -> _Command:
    """`--data`, `--site` and `--runtime`, as every verb has them."""
    site = click.option(
        "--site",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="The site's rules (TOML). Default: site.toml of the data folder, else the settings.",
    )
    runtime = click.option(
        "--runtime", type=click.Path(path_type=Path), default=RUNTIME, show_default=True
    )
    return data_or_here_option(site(runtime(command)))


@dataclass(frozen=True, slots=True)
class _Here:
    """The site's profile and the machine it runs on."""

    data: Path
    file: Path | None
    runtime: Path

    def site(self) -> SiteProfile:
        data = DataDir(self.data)
        try:
            base = site_of_settings(data.settings())
            file = site_file(self.file, self.data)
            if file is None:
                return base
            site = parse_site(file.read_text(encoding="utf-8"), base)
        except (SettingsError, OSError, UnicodeDecodeError) as e:
            raise click.ClickException(str(e)) from e
        if isinstance(site, SiteProblem):
            raise click.ClickException(f"{file}: {site}")
        return site

    def plan(self) -> WifiPlan | NoPlan:
        site = self.site()
        interface = look_at(site.wifi.interface)
        radio = radio_of(interface)
        if isinstance(radio, Silent):
            return NoPlan(Cause.NO_RADIO, radio.why)
        return make_plan(site.wifi, radio, site.network.guest, interface.driver)

    def plan_or_stay(self) -> WifiPlan | NoPlan:
        """The same for a reload: a site file with a mistake must not take the network down."""
        try:
            return self.plan()
        except click.ClickException as e:
            return NoPlan(Cause.SITE_FILE, e.message)


@click.group()
def wifi() -> None:
    """The network on the air: what it does, its configuration, who is sent off."""


@wifi.command()
@_options
def run(data: Path, site: Path | None, runtime: Path) -> None:
    """Make the network and keep it up until stopped. Needs root and hostapd.

    Gives the guests' interface the node's addresses (a bridge is made when it
    is missing). On a wired site it isolates the bridge's ports and ends.
    """
    here = _Here(data, site, runtime)
    network = here.site().network
    systemd = supervisor()
    keeper = WifiSupervisor(
        here.plan_or_stay, network, click.echo, runtime, alive=systemd.alive, ready=systemd.ready
    )
    signal.signal(signal.SIGTERM, lambda *_: keeper.stop())
    signal.signal(signal.SIGHUP, lambda *_: keeper.reload())
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(keeper.run())


@wifi.command()
@_options
@json_option
def status(data: Path, site: Path | None, runtime: Path, as_json: bool) -> None:
    """What is on the air and how many devices it serves. Exit 1 when no network works."""
    here = _Here(data, site, runtime)
    report = _report(here)
    if as_json:
        click.echo(json.dumps(report.plain(), ensure_ascii=False))
    else:
        click.echo("\n".join(report_lines(report)))
    sys.exit(0 if report.works else 1)


@wifi.command()
@_options
def config(data: Path, site: Path | None, runtime: Path) -> None:
    """Print the configuration that hostapd would get from this machine's radio; change nothing.

    The staff's passphrase is not shown.
    """
    plan = _Here(data, site, runtime).plan()
    if isinstance(plan, NoPlan):
        raise click.ClickException(str(plan))
    text = render_hostapd(plan, runtime / "control")
    click.echo(re.sub(r"(?m)^(sae_password)=.*$", r"# \1=(hidden)", text), nl=False)
    for note in plan.notes:
        click.echo(f"note: {NOTE_TEXT[note]}", err=True)


@wifi.command()
@_options
@click.argument("device", metavar="ADDRESS")
def kick(data: Path, site: Path | None, runtime: Path, device: str) -> None:
    """Send a device off the air, by its IP or hardware address. It may come back.

    To end its visit use `plaza gate revoke`.
    """
    profile = _Here(data, site, runtime).site()
    mac = _hardware_address(device, profile.network.guest)
    if mac is None:
        raise click.ClickException("no device with this address was seen on the guest side")
    kicked = HostapdCli(profile.wifi.interface, runtime / "control").kick(mac)
    if isinstance(kicked, Silent):
        raise click.ClickException(kicked.why)
    if kicked == 0:
        raise click.ClickException("this device is not on the air here")
    click.echo("sent off")


@wifi.command()
@_options
def reload(data: Path, site: Path | None, runtime: Path) -> None:
    """Apply a changed site file. The file is checked first; a mistake changes nothing."""
    plan = _Here(data, site, runtime).plan()
    if isinstance(plan, NoPlan):
        raise click.ClickException(str(plan))
    trouble = ask_to_reload(runtime)
    if trouble:
        raise click.ClickException(trouble)
    click.echo("asked")


def _hardware_address(device: str, guest: str) -> str | None:
    """Of a hardware or an IP address; None when nobody on the guest side has that IP address."""
    with contextlib.suppress(ValueError):
        return plain_mac(device)
    try:
        ip = ipaddress.ip_address(device)
    except ValueError:
        raise click.UsageError("give an IP address or a hardware address") from None
    return KernelNeighbours(guest).mac_of(str(ip))


def _report(here: _Here) -> WifiReport:
    site = here.site()
    air = HostapdCli(site.wifi.interface, here.runtime / "control").status()
    interface = look_at(site.wifi.interface)
    radio = radio_of(interface)
    plan = here.plan()
    return report_of(site.wifi, look_at(site.network.guest), interface, radio, plan, air)
