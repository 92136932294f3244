"""`plaza hardware`: a technician asks the devices how they are, and prints the test strip.

Text for people on stdout, `--json` for machines. Exit 1 when a device is not ready.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from hardware.printer.driver import ReceiptPrinter
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.strip import technician_strip
from hardware.registry import REGISTRY, Watched
from hardware.transport.address import AddressError, parse_address
from municipio.device_words import technician_words
from municipio.devices import DeviceStatus, PrintVerdict
from municipio.settings import Settings, SettingsError, parse_settings
from plaza.hardware_look import SELFTEST_S, Found, looked_at, profiles_table, settled
from plaza.options import json_option, optional_data_option
from sync.datadir import DataDir


@click.group()
@optional_data_option
@click.pass_context
def hardware(ctx: click.Context, data: Path | None) -> None:
    """Ask the devices how they are; print the test strip."""
    ctx.obj = _node(data)


@dataclass(frozen=True, slots=True)
class Node:
    """Whose devices are asked: `data` is None when nobody named a node."""

    settings: Settings
    data: Path | None


def _node(data: Path | None) -> Node:
    if data is None:
        return Node(parse_settings({}), None)
    try:
        return Node(DataDir(data).settings(), data)
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


_PORT = click.option("--port", default="", help="Printer port; default: setting printer.port.")
_PROFILE = click.option(
    "--profile", type=click.Choice(sorted(PROFILES)), help="Default: setting printer.profile."
)


@hardware.command()
@click.option("--markdown", is_flag=True, help="As the table of docs/reference/impresoras.md.")
@json_option
def profiles(as_json: bool, markdown: bool) -> None:
    """The printer profiles: columns, code page, QR, blade and what each tells of itself."""
    if markdown:
        click.echo(profiles_table())
        return
    if as_json:
        rows = [{**asdict(p), "columns": p.columns} for p in PROFILES.values()]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for p in PROFILES.values():
        click.echo(f"{p.name:<16}{p.columns} columnas, {p.dots} puntos, {p.codec}: {p.label}")


@hardware.command()
@_PORT
@_PROFILE
@json_option
@click.pass_obj
def probe(node: Node, port: str, profile: str | None, as_json: bool) -> None:
    """How each configured device is, after listening for up to four seconds."""
    found = (
        [_probe_printer(node.settings, port, profile)]
        if port
        else looked_at(node.settings, node.data)
    )
    _tell(found, as_json)


@hardware.command()
@json_option
@click.pass_obj
def selftest(node: Node, as_json: bool) -> None:
    """All configured devices at once, as at every start: one line each, within three seconds."""
    _tell(looked_at(node.settings, node.data, SELFTEST_S), as_json)


def _tell(found: list[Found], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(f) for f in found], ensure_ascii=False))
    else:
        for one in found:
            click.echo(one.line())
    if not found:
        raise click.ClickException(
            "no device has a port; set printer.port or terminal.port, or give --port"
        )
    if not all(f.is_ready for f in found):
        raise click.exceptions.Exit(1)


@hardware.command()
@_PORT
@_PROFILE
@click.option(
    "--device", default="printer", type=click.Choice(sorted(REGISTRY)), help="Default: printer."
)
@click.option("--seconds", default=0, help="Stop after this long; 0: until Ctrl-C.")
@json_option
@click.pass_obj
def watch(
    node: Node, port: str, profile: str | None, device: str, seconds: int, as_json: bool
) -> None:
    """Tell every change of a device as it happens (pull the paper and see)."""
    entry, settings = REGISTRY[device], node.settings
    place = port or entry.place(settings)
    if device == "health" and not place and node.data is not None:
        place = str(node.data)
    if not place:
        what = "give --data" if device == "health" else f"see plaza settings list: {device}.*"
        raise click.ClickException(f"this node has no {device} ({what})")
    end = time.monotonic() + seconds if seconds else float("inf")
    if device == "printer":
        place, chosen = _printer_choice(settings, port, profile)
        watched: Watched = ReceiptPrinter(place, settings.number("printer.baud"), chosen)
    else:
        watched = entry.build(settings, node.data)
    try:
        for newest in _changes(watched, end):
            one = Found(device, entry.label, place, newest.state.value, newest.cause)
            text = json.dumps(asdict(one), ensure_ascii=False) if as_json else one.line()
            click.echo(text)
    finally:
        watched.close()


def _changes(watched: Watched, end: float) -> Iterator[DeviceStatus]:
    last: DeviceStatus | None = None
    while time.monotonic() < end:
        newest = watched.status()
        if newest != last:
            last = newest
            yield newest
        time.sleep(0.1)


@hardware.command("print-test")
@_PORT
@_PROFILE
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to FILE instead: .bin (bytes), .txt or .png (how it looks).",
)
@json_option
@click.pass_obj
def print_test(node: Node, port: str, profile: str | None, out: Path | None, as_json: bool) -> None:
    """Print the technician's strip: accents, widths, a drawn line, QR and barcode."""
    settings = node.settings
    if out is not None:
        _write_strip(out, PROFILES[profile or settings.text("printer.profile")])
        return
    path, chosen = _printer_choice(settings, port, profile)
    with _printer(path, settings.number("printer.baud"), chosen) as printer:
        settled(printer)
        result = printer.print_rendered(printer.render(technician_strip(chosen)))
    if as_json:
        click.echo(json.dumps({"verdict": result.verdict.value, "cause": result.cause}))
    elif result.verdict is PrintVerdict.PRINTED:
        click.echo("Impresa. Compare la línea de acentos con docs/how-to/impresora.md.")
    if result.verdict is not PrintVerdict.PRINTED:
        sure = "no se imprimió" if result.verdict is PrintVerdict.FAILED else "no se sabe si salió"
        raise click.ClickException(f"{sure}: {technician_words('printer', result.cause)}")


def _write_strip(out: Path, profile: Profile) -> None:
    from hardware.printer import virtual_picture
    from hardware.printer.virtual_paper import preview

    rendered = render_lines(technician_strip(profile), profile)
    sheet = preview(rendered, profile)
    if out.suffix == ".png":
        content = virtual_picture.png(sheet, profile)
    elif out.suffix == ".txt":
        content = sheet.text.encode()
    elif out.suffix == ".bin":
        content = rendered
    else:
        raise click.UsageError("--out must end in .bin, .txt or .png")
    try:
        out.write_bytes(content)
    except OSError as problem:
        raise click.ClickException(f"{out}: {problem.strerror}") from None
    click.echo(f"{out}: {profile.label}")


def _printer_choice(settings: Settings, port: str, profile: str | None) -> tuple[str, Profile]:
    path = port or settings.text("printer.port")
    if not path:
        raise click.ClickException("no printer port: give --port or set printer.port")
    try:
        parse_address(path)
    except AddressError as problem:
        raise click.ClickException(str(problem)) from None
    return path, PROFILES[profile or settings.text("printer.profile")]


@contextmanager
def _printer(path: str, baud: int, profile: Profile) -> Iterator[ReceiptPrinter]:
    printer = ReceiptPrinter(path, baud, profile)
    try:
        yield printer
    finally:
        printer.close()


def _probe_printer(settings: Settings, port: str, profile: str | None) -> Found:
    path, chosen = _printer_choice(settings, port, profile)
    with _printer(path, settings.number("printer.baud"), chosen) as printer:
        heard = settled(printer)
    return Found("printer", REGISTRY["printer"].label, path, heard.state.value, heard.cause)
