"""`plaza settings city|settle`: what the city set on this node, and how it comes into force."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from plaza.options import existing_data_option, json_option
from plaza.quiet import busy_with
from plaza.settle import Settling, Undone
from plaza.unit_control import SystemdUnits
from sync.city_settings import CitySettings, read_city_settings, write_city_settings
from sync.datadir import DataDir
from sync.kiosk_pulse import read_pulse
from sync.wiring import CannotStart, open_memory

MARK = "settings-settled.json"


@click.command("city")
@existing_data_option
@click.option(
    "--forget", is_flag=True, help="Use only the place's settings until the city sends others."
)
@json_option
def city(data: Path, forget: bool, as_json: bool) -> None:
    """Show what the city set on this node; each lies over the place's own setting."""
    place = DataDir(data)
    found = read_city_settings(place.city_settings)
    if forget:
        found = CitySettings(found.targets)
        write_city_settings(place.city_settings, found)
    if as_json:
        click.echo(
            json.dumps({"values": found.values, "targets": found.targets}, ensure_ascii=False)
        )
        return
    for name, value in sorted(found.values.items()):
        click.echo(f"{name:<34} {value}")
    if not found.values:
        click.echo("the city sets nothing on this node")


@click.command("settle")
@existing_data_option
def settle(data: Path) -> None:
    """Start the programs that new settings of the city concern, once nobody is served.

    If one does not stay up for a minute, the former settings come back and the city hears of it.
    """
    memory = open_memory(DataDir(data), salvaging=False)
    if isinstance(memory, CannotStart):
        raise click.ClickException(memory.detail)
    try:
        place, ledger = memory.data, memory.ledger

        def busy() -> object:
            pulse = read_pulse(place.kiosk_file, memory.clock.now())
            return busy_with(ledger.open_payments(), pulse)

        settling = Settling(place.city_settings, SystemdUnits(), ledger, busy, time.sleep)
        done = settling.run(place.run / MARK)
    finally:
        memory.close()
    if isinstance(done, Undone):
        raise click.ClickException(
            f"{', '.join(done.units)} did not stay up; the former settings are back"
        )
    click.echo(f"in force: {', '.join(done.units) or 'no program had to start anew'}")
