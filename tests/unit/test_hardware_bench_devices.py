"""The registry of simulated devices: every word works, every button is a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.bench.builders import Place
from hardware.bench.desk import Deed, Desk
from hardware.bench.devices import DEVICES
from municipio.settings import SETTINGS

SAMPLES = {str: "0620", int: 1, float: 10.0}


@pytest.mark.parametrize("name", DEVICES)
def test_every_button_says_a_word_of_its_device_with_arguments_of_its_kind(name: str) -> None:
    device = DEVICES[name]
    for button in device.buttons:
        kinds = device.verbs[button.verb].kinds
        assert len(button.args) == len(kinds), button
        for arg, kind in zip(button.args, kinds, strict=True):
            assert arg in kind if isinstance(kind, tuple) else isinstance(arg, kind), button


@pytest.mark.parametrize("name", DEVICES)
def test_what_a_device_needs_of_the_node_are_settings_that_exist(name: str) -> None:
    assert set(DEVICES[name].settings) <= {s.name for s in SETTINGS}


def test_the_demonstrations_debts_can_be_paid_in_cash() -> None:
    """They have odd centavos, for which there is no coin."""
    assert DEVICES["cash"].settings["cash.rounding"] == "peso"


@pytest.mark.parametrize("name", [n for n in DEVICES if n != "card"])
def test_every_word_can_be_done_to_the_simulator(name: str, tmp_path: Path) -> None:
    desk = Desk((name,), Place(tmp_path / "dev", tmp_path / "papers"))
    desk.open()
    try:
        for word, verb in DEVICES[name].verbs.items():
            args = tuple(k[0] if isinstance(k, tuple) else SAMPLES[k] for k in verb.kinds)
            desk.do(Deed(name, word, args))
        assert desk.states()[name]["node"] == {}
        assert {d.verb for d in desk.deeds} >= set(DEVICES[name].verbs) - {"fault"}
    finally:
        desk.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(("printer", "terminal"), Place(tmp_path / "dev", tmp_path / "papers"))
    desk.open()
    yield desk
    desk.close()


def test_ports_have_names_that_stay_and_the_settings_tell_them(desk: Desk, tmp_path: Path) -> None:
    desk.do(Deed("printer", "unplug", ()))
    desk.do(Deed("printer", "replug", ()))

    assert desk.settings()["printer.port"] == str(tmp_path / "dev" / "printer")
    assert (tmp_path / "dev" / "printer").exists()
    assert (tmp_path / "dev" / "terminal").exists()


def test_a_device_or_word_that_is_not_there_is_a_key_error(desk: Desk) -> None:
    with pytest.raises(KeyError):
        desk.do(Deed("cash", "coin", (1.0,)))
    with pytest.raises(KeyError):
        desk.do(Deed("printer", "fly", ()))
