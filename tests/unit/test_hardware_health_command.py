"""`plaza health`: every item on a line, and an exit code that a script can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hardware.health.state import Cause, Finding, Item, ItemState
from hardware.power.simulator import SunSimulator
from hardware.power.sun import SolarPlant
from plaza.commands.health import LABELS, health, line


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(health, ["--data", str(data), *arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "settings.toml").write_text("[node]\nrtc = true\n")
    return tmp_path


def test_every_item_has_a_label() -> None:
    assert set(LABELS) == set(Item)


def test_the_items_of_this_machine_are_told_one_by_one(data: Path) -> None:
    told = run(data).stdout

    assert "prueba de memoria" in told
    assert "espacio libre" in told
    assert "energía" not in told


def test_energy_is_told_with_its_figures_and_how_far_to_believe_them(data: Path) -> None:
    far = SunSimulator("vedirect", SolarPlant(hour=22, soc=0.7), time_factor=0)
    (data / "settings.toml").write_text(
        f'[node]\nrtc = true\n[power]\nkind = "vedirect"\nport = "{far.open()}"\n'
    )
    try:
        told = run(data).stdout
        document = json.loads(run(data, "--json").stdout)
    finally:
        far.close()

    assert "sol 0 W, consumo 14 W" in told
    assert "(estimada)" in told
    assert document["energy"]["state"] == "ready"
    assert document["energy"]["battery_mv"] == far.truth().battery_mv


def test_a_controller_that_is_not_there_is_exit_1_and_no_figure(data: Path) -> None:
    (data / "settings.toml").write_text('[power]\nkind = "epever"\nport = "/dev/null/none"\n')
    result = run(data, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["energy"]["battery_mv"] is None


def test_settings_that_cannot_be_read_are_one_clear_line(data: Path) -> None:
    (data / "settings.toml").write_text("[power]\nkinds = 1\n")
    result = run(data)

    assert result.exit_code == 1
    assert "power.kind" in result.stderr


def test_a_trouble_says_its_figure_and_what_to_do() -> None:
    hot = Finding(Item.TEMPERATURE, ItemState.ATTENTION, Cause.HOT, 77, "°C")

    assert line(hot).startswith("[--] temperatura")
    assert "77 °C: el procesador está caliente" in line(hot)
