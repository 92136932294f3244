"""`plaza gate`: the root daemon that opens the way to the Internet, and its five verbs."""

from __future__ import annotations

import contextlib
import json
import pwd
import signal
from pathlib import Path
from typing import Any

import click
import msgspec

from captive_portal.gate.client import GateClient
from captive_portal.gate.visits import MAX_VISIT_S, GateTrouble, Visit
from captive_portal.gate.wiring import GateCannotStart, GateOptions, build_gate_daemon
from municipio.settings import Settings, SettingsError
from sync.datadir import DataDir

_data = click.option(
    "--data", envvar="PLAZA_DATA", default=".", type=click.Path(path_type=Path), show_default=True
)
_socket = click.option("--socket", type=click.Path(path_type=Path), help="The gate's Unix socket.")
_json = click.option("--json", "as_json", is_flag=True, help="For machines.")
_ip = click.option("--ip", required=True, metavar="ADDR")


@click.group()
def gate() -> None:
    """Who may pass to the Internet, and until when."""


@gate.command()
@_data
@_socket
@click.option("--interface", help="Guest side. Default: portal.interface.")
@click.option("--uplink", help="Internet side. Default: portal.uplink.")
@click.option("--portal-port", type=click.IntRange(1, 65535), help="Default: of portal.listen.")
@click.option("--runtime", type=click.Path(path_type=Path), default=Path("/run/plaza"))
@click.option("--allow-user", multiple=True, help="User that may call (besides root).")
def run(
    data: Path,
    socket: Path | None,
    interface: str | None,
    uplink: str | None,
    portal_port: int | None,
    runtime: Path,
    allow_user: tuple[str, ...],
) -> None:
    """Build the firewall and answer on the socket until stopped. Needs root (CAP_NET_ADMIN)."""
    settings = _settings(data)
    options = GateOptions(
        socket or Path(settings.text("portal.gate_socket")),
        interface or settings.text("portal.interface"),
        uplink or settings.text("portal.uplink"),
        portal_port or int(settings.text("portal.listen").rpartition(":")[2]),
        runtime,
        _uids(allow_user),
    )
    try:
        daemon = build_gate_daemon(options)
    except (GateCannotStart, OSError, ValueError) as e:
        raise click.ClickException(str(e)) from e
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    with contextlib.suppress(KeyboardInterrupt):
        daemon.serve()
    daemon.stop()


@gate.command()
@_data
@_socket
@_ip
@click.option("--seconds", required=True, type=click.IntRange(1, MAX_VISIT_S))
@_json
def grant(data: Path, socket: Path | None, ip: str, seconds: int, as_json: bool) -> None:
    """Let a device pass."""
    _show(_client(data, socket).grant(ip, seconds), as_json)


@gate.command()
@_data
@_socket
@_ip
@_json
def revoke(data: Path, socket: Path | None, ip: str, as_json: bool) -> None:
    """End a visit at once."""
    _show(_client(data, socket).revoke(ip), as_json)


@gate.command("list")
@_data
@_socket
@click.option("--ip", metavar="ADDR", help="Only this one, open or not.")
@_json
def list_(data: Path, socket: Path | None, ip: str | None, as_json: bool) -> None:
    """Open visits: address, today's pseudonym, seconds left."""
    client = _client(data, socket)
    _show(client.look(ip) if ip else client.visits(), as_json)


@gate.command()
@_data
@_socket
@_json
def restore(data: Path, socket: Path | None, as_json: bool) -> None:
    """Rebuild the firewall from the live visits."""
    _show(_client(data, socket).restore(), as_json)


@gate.command()
@_data
@_socket
@_json
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
        click.echo("\n".join(map(_line, result)) or "no open visits")
    else:
        click.echo("\n".join(f"{k}: {v}" for k, v in msgspec.to_builtins(result).items()))


def _line(visit: Visit) -> str:
    left = f"{visit.seconds_left} s left" if visit.is_open else "closed"
    return f"{visit.ip}\t{visit.device}\t{left}"
