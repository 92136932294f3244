"""What a kiosk is built of: everything, or only the screen that says that it is out of service."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.flow import Screen
from kiosk.wiring import Wired, wire
from municipio.settings import parse_settings
from sync.datadir import DataDir
from sync.keys import NodeKey


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "node")
    made.create()
    NodeKey.create(made)
    return made


def _wire(data: DataDir) -> Wired:
    return wire(data, parse_settings({}), lambda work: work())


def test_a_fresh_node_has_every_screen_and_says_that_it_knows_no_city(data: DataDir) -> None:
    wired = _wire(data)
    screens = set(wired.house.presenters)
    wired.house.close()

    assert screens == set(Screen) - {Screen.TECNICO}, "service cards are off until switched on"
    assert "city.pub" in wired.troubles[0]


def test_a_node_with_a_reader_has_the_technicians_screen(data: DataDir) -> None:
    settings = parse_settings({"card": {"enabled": True}})
    wired = wire(data, settings, lambda work: work())
    screens = set(wired.house.presenters)
    assert wired.house.watch is not None
    wired.house.watch()
    wired.house.close()

    assert screens == set(Screen)


def test_a_damaged_ledger_leaves_only_the_out_of_service_screen_and_the_file(
    data: DataDir,
) -> None:
    data.ledger.write_bytes(b"not a database" * 300)
    before = data.ledger.read_bytes()
    wired = _wire(data)
    wired.house.close()

    assert set(wired.house.presenters) == {Screen.FUERA_DE_SERVICIO}
    assert data.ledger.read_bytes() == before


def test_a_node_without_its_key_is_out_of_service_and_names_the_command(tmp_path: Path) -> None:
    wired = _wire(DataDir(tmp_path / "node"))
    wired.house.close()

    assert set(wired.house.presenters) == {Screen.FUERA_DE_SERVICIO}
    assert "plaza node init" in wired.troubles[0]


@pytest.mark.parametrize(
    ("cash", "words"),
    [
        ({"port": "/dev/demo", "coins": "una"}, "is not a denomination"),
        ({"port": ""}, "without cash.port"),
    ],
)
def test_cash_that_cannot_be_set_up_stays_off_and_says_why(
    data: DataDir, cash: dict[str, str], words: str
) -> None:
    wired = wire(data, parse_settings({"cash": {"enabled": True, **cash}}), lambda work: work())
    wired.house.close()

    assert words in wired.troubles[-1]
    assert set(wired.house.presenters) >= {Screen.PAGO_EFECTIVO}


def test_no_cash_no_words_about_it(data: DataDir) -> None:
    wired = _wire(data)
    wired.house.close()

    assert not any("no cash is taken" in trouble for trouble in wired.troubles)
