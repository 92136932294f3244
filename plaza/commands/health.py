"""`plaza health`: the node's own body and its energy, item by item, as a technician reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hardware.health.driver import NodeHealth, build_health
from hardware.health.state import Finding, Health, Item, ItemState
from hardware.power.driver import PowerDriver, build_power
from hardware.power.state import Confidence, PowerState
from municipio.device_words import technician_words
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings, SettingsError
from plaza.options import existing_data_option, json_option
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.energy_note import fresh_note, told_status

LABELS = {
    Item.SUPPLY: "alimentación",
    Item.TEMPERATURE: "temperatura",
    Item.THROTTLING: "velocidad",
    Item.STORAGE_ERRORS: "errores de memoria",
    Item.STORAGE_WEAR: "desgaste de memoria",
    Item.STORAGE_TEST: "prueba de memoria",
    Item.SPACE: "espacio libre",
    Item.INODES: "archivos libres",
    Item.CLOCK: "hora",
    Item.SCREEN: "pantalla",
    Item.MEMORY: "memoria libre",
    Item.LOAD: "carga",
}
CONFIDENCE = {Confidence.MEASURED: "medida", Confidence.ESTIMATED: "estimada"}
WAIT_S = 4.0


@click.command()
@existing_data_option
@json_option
def health(data: Path, as_json: bool) -> None:
    """Judge supply, heat, memory card, space, clock, load and energy.

    The card is tested by writing and reading back 4 KiB. Exit 1 when something needs a person.
    """
    settings = _settings(data)
    body = _body(data, settings)
    energy = _told_energy(data, settings) or _energy(settings)
    if as_json:
        click.echo(json.dumps(_document(body, energy), ensure_ascii=False))
    else:
        for finding in body.findings:
            click.echo(line(finding))
        if energy is not None:
            click.echo(power_line(*energy))
    well = body.status.state is DeviceState.READY
    if not well or (energy is not None and energy[0].state is not DeviceState.READY):
        raise click.exceptions.Exit(1)


def line(finding: Finding) -> str:
    """One item: mark, name, figure, and what to do when it is not well."""
    mark = "ok" if finding.state is ItemState.OK else "--"
    figure = "" if finding.value is None else f"{finding.value} {finding.unit}".strip()
    told = "" if finding.cause is None else technician_words("health", finding.cause.value)
    said = ": ".join(part for part in (figure, told) if part) or "bien"
    return f"[{mark}] {LABELS[finding.item]:<20}{said}"


def power_line(status: DeviceStatus, power: PowerState) -> str:
    """The controller's figures on a line; what it does not say is left out."""
    mark = "ok" if status.state is DeviceState.READY else "--"
    parts = []
    if power.battery_mv is not None:
        parts.append(f"batería {power.battery_mv / 1000:.2f} V")
    if power.soc_percent is not None:
        parts.append(f"{power.soc_percent} % ({CONFIDENCE[power.confidence]})")
    if power.solar_w is not None:
        parts.append(f"sol {power.solar_w} W")
    if power.load_w is not None:
        parts.append(f"consumo {power.load_w} W")
    if power.temperature_c is not None:
        parts.append(f"{power.temperature_c} °C")
    told = technician_words("power", status.cause) if status.cause else ""
    said = ": ".join(part for part in (", ".join(parts), told) if part)
    return f"[{mark}] {'energía':<20}{said}"


def _settings(data: Path) -> Settings:
    try:
        return DataDir(data).settings()
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


def _body(data: Path, settings: Settings) -> Health:
    """A first whole look, the card's test included."""
    watched = build_health(settings, data)
    try:
        _wait(lambda: _is_whole(watched))
        found = watched.health()
    finally:
        watched.close()
    return found if found is not None else Health(())


def _is_whole(watched: NodeHealth) -> bool:
    newest = watched.health()
    return newest is not None and newest.of(Item.STORAGE_TEST) is not None


def _told_energy(data: Path, settings: Settings) -> tuple[DeviceStatus, PowerState] | None:
    """On the sun the energy program holds the controller's port; what it says is what there is."""
    clock = SystemClock()
    note = fresh_note(DataDir(data), settings, clock)
    if note is None:
        return None
    power = PowerState(
        soc_percent=note.soc_percent,
        battery_mv=note.battery_mv,
        battery_ma=note.battery_ma,
        solar_w=note.solar_w,
        load_w=note.load_w,
        temperature_c=note.temperature_c,
        age_s=(clock.now().boot_ms - note.written_boot_ms) / 1000,
        confidence=Confidence(note.confidence),
    )
    return told_status(note), power


def _energy(settings: Settings) -> tuple[DeviceStatus, PowerState] | None:
    if settings.text("power.kind") == "none":
        return None
    controller: PowerDriver = build_power(settings)
    try:
        _wait(lambda: controller.status().state not in (DeviceState.STARTING, DeviceState.UNKNOWN))
        return controller.status(), controller.power()
    finally:
        controller.close()


def _wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


def _document(body: Health, energy: tuple[DeviceStatus, PowerState] | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "state": body.status.state.value,
        "cause": body.status.cause,
        "items": [asdict(f) for f in body.findings],
    }
    if energy is not None:
        figures = asdict(energy[1])
        if energy[1].confidence is Confidence.UNKNOWN:
            figures["age_s"] = None  # may be infinite, which JSON has no word for
        document["energy"] = {
            "state": energy[0].state.value,
            "cause": energy[0].cause,
            **figures,
        }
    return document
