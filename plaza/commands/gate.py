"""`plaza gate`: the root daemon that opens the way to the Internet, and its five verbs."""

from __future__ import annotations

import contextlib
import json
import logging
import pwd
import signal
from pathlib import Path
from typing import Any

import click
import msgspec

from captive_portal.gate.client import GateClient
from captive_portal.gate.configure import announcement_of, policy_of, warnings_of
from captive_portal.gate.visits import (
    MAX_RATE_KIB_S,
    MAX_VISIT_BYTES,
    MAX_VISIT_S,
    EndedVisit,
    GateTrouble,
    Limits,
    Visit,
)
from captive_portal.gate.wiring import GateCannotStart, GateOptions, build_gate
from captive_portal.site import site_file
from municipio.settings import Settings, SettingsError
from plaza.options import data_or_here_option, json_option
from sync.datadir import DataDir

_socket = click.option("--socket", type=click.Path(path_type=Path), help="The gate's Unix socket.")
_site = click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The site's file (TOML). Default: DATA/site.toml.",
)
_ip = click.option("--ip", required=True, metavar="ADDR")


@click.group()
def gate() -> None:
    """Who may pass to the Internet, and until when."""


@gate.command()
@data_or_here_option
@_socket
@_site
@click.option("--interface", help="Guest side. Default: of the site, or portal.interface.")
@click.option("--uplink", help="Internet side. Default: of the site, or portal.uplink.")
@click.option("--portal-port", type=click.IntRange(1, 65535), help="Default: of portal.listen.")
@click.option(
    "--names-port",
    type=click.IntRange(1, 65535),
    help="DNS of accepted devices. Default: the filter's.",
)
@click.option(
    "--strict-names-port",
    type=click.IntRange(1, 65535),
    help="DNS before acceptance. Default: the filter's.",
)
@click.option(
    "--doh",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="DNS-over-HTTPS servers to block, an address a line. Default: the filter's.",
)
@click.option("--runtime", type=click.Path(path_type=Path), default=Path("/run/plaza"))
@click.option("--allow-user", multiple=True, help="User that may call (besides root).")
def run(
    data: Path,
    socket: Path | None,
    runtime: Path,
    allow_user: tuple[str, ...],
    doh: Path | None,
    **sides: Any,
) -> None:
    """Build the firewall and answer on the socket until stopped. Needs root (CAP_NET_ADMIN)."""
    settings = _settings(data)
    sides["site"] = site_file(sides["site"], data)
    try:
        running = build_gate(
            GateOptions(
                socket or Path(settings.text("portal.gate_socket")),
                policy_of(settings, doh=doh, **sides),
                runtime,
                _uids(allow_user),
                announce=announcement_of(settings, sides["site"]),
            )
        )
    except (GateCannotStart, OSError, ValueError) as e:
        raise click.ClickException(str(e)) from e
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    with contextlib.suppress(KeyboardInterrupt):
        running.serve()
    running.stop()


@gate.command()
@data_or_here_option
@_socket
@_ip
@click.option("--seconds", required=True, type=click.IntRange(1, MAX_VISIT_S))
@click.option(
    "--bytes",
    "bytes_",
    default=0,
    type=click.IntRange(0, MAX_VISIT_BYTES),
    help="Both directions together; 0: no limit.",
)
@click.option(
    "--rate-down", default=0, type=click.IntRange(0, MAX_RATE_KIB_S), help="KiB/s; 0: no limit."
)
@click.option(
    "--rate-up", default=0, type=click.IntRange(0, MAX_RATE_KIB_S), help="KiB/s; 0: no limit."
)
@json_option
def grant(
    data: Path,
    socket: Path | None,
    ip: str,
    seconds: int,
    bytes_: int,
    rate_down: int,
    rate_up: int,
    as_json: bool,
) -> None:
    """Let a device pass."""
    limits = Limits(bytes_, rate_down, rate_up)
    _show(_client(data, socket).grant(ip, seconds, limits), as_json)


@gate.command()
@data_or_here_option
@_socket
@_ip
@json_option
def revoke(data: Path, socket: Path | None, ip: str, as_json: bool) -> None:
    """End a visit at once."""
    _show(_client(data, socket).revoke(ip), as_json)


@gate.command("list")
@data_or_here_option
@_socket
@click.option("--ip", metavar="ADDR", help="Only this one, open or not.")
@click.option(
    "--ended", is_flag=True, help="What ended since this was last asked; each visit once."
)
@json_option
def list_(data: Path, socket: Path | None, ip: str | None, ended: bool, as_json: bool) -> None:
    """Open visits: address, today's pseudonym, seconds and bytes left."""
    if ip and ended:
        raise click.UsageError("--ip and --ended do not go together")
    client = _client(data, socket)
    _show(client.ended() if ended else client.look(ip) if ip else client.visits(), as_json)


@gate.command()
@data_or_here_option
@_socket
@json_option
def restore(data: Path, socket: Path | None, as_json: bool) -> None:
    """Rebuild the firewall from the live visits."""
    _show(_client(data, socket).restore(), as_json)


@gate.command()
@data_or_here_option
@_socket
@json_option
def stats(data: Path, socket: Path | None, as_json: bool) -> None:
    """Counters since the gate started; none is about one device."""
    _show(_client(data, socket).stats(), as_json)


def _settings(data: Path) -> Settings:
    try:
        return DataDir(data).settings()
    except SettingsError as e:
        raise click.ClickException(str(e)) from e


def _client(data: Path, socket: Path | None) -> GateClient:
    return GateClient(socket or Path(_settings(data).text("portal.gate_socket")))


def _uids(names: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return tuple(pwd.getpwnam(name).pw_uid for name in names)
    except KeyError as e:
        raise click.ClickException(f"--allow-user: {e.args[0]}") from e


def _show(result: Any, as_json: bool) -> None:
    """One object for machines, one line per visit for people; trouble is exit 1."""
    if isinstance(result, GateTrouble):
        raise click.ClickException(f"{result.cause.value}: {result.detail}")
    if as_json:
        plain = {"open": result} if isinstance(result, int) else msgspec.to_builtins(result)
        click.echo(json.dumps(plain))
    elif isinstance(result, int):
        click.echo(f"{result} open")
    elif isinstance(result, Visit):
        click.echo(_line(result))
    elif isinstance(result, tuple):
        click.echo("\n".join(map(_line, result)) or "no visits")
    else:
        click.echo("\n".join(f"{k}: {v}" for k, v in msgspec.to_builtins(result).items()))
        click.echo("".join(f"warning: {w}\n" for w in warnings_of(result)), nl=False)


def _line(visit: Visit | EndedVisit) -> str:
    if isinstance(visit, EndedVisit):
        return f"{visit.device}\t{visit.cause.value}\t{visit.seconds} s\t{visit.bytes} bytes"
    if not visit.is_open:
        return f"{visit.ip}\t{visit.device}\tclosed"
    left = "" if visit.bytes_left is None else f"\t{visit.bytes_left} bytes left"
    return f"{visit.ip}\t{visit.device}\t{visit.seconds_left} s left\t{visit.bytes_used} bytes used{left}"
