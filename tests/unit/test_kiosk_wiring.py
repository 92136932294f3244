"""What a kiosk is built of: everything, or only the screen that says that it is out of service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.flow import Screen
from kiosk.simulators import MemoryLedger
from kiosk.terminal_guard import terminal_trouble
from kiosk.wiring import Wired, wire
from municipio.payments import Payment, PaymentMethod, PaymentState
from municipio.settings import parse_settings
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "node")
    made.create()
    NodeKey.create(made)
    return made


USUAL = set(Screen) - {Screen.TECNICO, Screen.PUESTA}


def _wire(data: DataDir) -> Wired:
    return wire(data, parse_settings({}), lambda work: work())


def test_a_fresh_node_has_every_screen_and_says_that_it_knows_no_city(data: DataDir) -> None:
    wired = _wire(data)
    screens = set(wired.house.presenters)
    wired.house.close()

    assert screens == USUAL, "service cards are off until switched on"
    assert "city.pub" in wired.troubles[0]


def test_a_node_with_a_reader_has_the_technicians_screen(data: DataDir) -> None:
    settings = parse_settings({"card": {"enabled": True}})
    wired = wire(data, settings, lambda work: work())
    screens = set(wired.house.presenters)
    assert wired.house.watch is not None
    wired.house.watch()
    wired.house.close()

    assert screens == {*USUAL, Screen.TECNICO}


def test_a_damaged_ledger_is_put_away_whole_and_the_kiosk_serves(data: DataDir) -> None:
    data.ledger.write_bytes(b"not a database" * 300)
    before = data.ledger.read_bytes()
    wired = _wire(data)
    wired.house.close()

    assert set(wired.house.presenters) == USUAL
    kept = list((data.path / "damaged").rglob(data.ledger.name))
    assert [file.read_bytes() for file in kept] == [before]


def test_the_ledger_of_another_node_leaves_only_the_out_of_service_screen(data: DataDir) -> None:
    _wire(data).house.close()
    before = data.ledger.read_bytes()
    wired = wire(data, parse_settings({"node": {"number": 8}}), lambda work: work())
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


def test_another_terminal_waits_until_no_payment_is_unknown(data: DataDir) -> None:
    serial = {"terminal": {"enabled": True, "kind": "serial", "port": "/dev/demo"}}
    point = {"terminal": {"enabled": True, "kind": "mercadopago", "point_id": "PAX__DEMO"}}
    ledger = MemoryLedger()
    owed = Payment(
        "k", "COA007-P1-000001-0", "39001", 100, PaymentMethod.CARD, PaymentState.UNKNOWN, "L1"
    )

    def trouble(settings: dict[str, dict[str, object]]) -> str:
        return terminal_trouble(data, parse_settings(settings), ledger)

    assert trouble(serial) == ""
    ledger.payments["k"] = owed
    assert trouble(serial) == "", "the same terminal may go on"
    assert "COA007-P1-000001-0" in trouble(point)
    assert trouble(serial) == "", "put back, it answers for its own charges"
    ledger.payments["k"] = replace(owed, state=PaymentState.DECLINED)
    assert trouble(point) == ""
    assert trouble(point) == ""


def test_a_kiosk_with_a_forbidden_terminal_says_so_and_charges_nobody(data: DataDir) -> None:
    (data.path / "terminal-kind").write_text("mercadopago PAX__OTHER")
    settings = parse_settings({"terminal": {"enabled": True, "port": "/dev/demo"}})
    ledger = open_ledger(data.ledger, SystemClock(data.link_file), settings.node_code, "30039")
    assert isinstance(ledger, SqliteLedger)
    owed = Payment("k", "F", "39001", 100, PaymentMethod.CARD, PaymentState.UNKNOWN, "L1")
    ledger.save([owed])
    ledger.close()
    wired = wire(data, settings, lambda work: work())
    statuses = wired.house.statuses()
    wired.house.close()

    assert "until they are resolved" in wired.troubles[-1]
    assert "terminal" not in statuses


def test_no_cash_no_words_about_it(data: DataDir) -> None:
    wired = _wire(data)
    wired.house.close()

    assert not any("no cash is taken" in trouble for trouble in wired.troubles)


def test_a_node_of_a_site_file_shows_its_checklist_first(data: DataDir) -> None:
    (data.path / "site-state.json").write_text('{"standing":"good","node":"COA007"}')
    wired = _wire(data)
    wired.warm_up()
    shown = wired.house.flow.place.screen
    wired.house.close()

    assert set(wired.house.presenters) == {*USUAL, Screen.PUESTA}
    assert shown is Screen.PUESTA


def test_a_node_with_a_wrong_first_file_opens_no_ledger(data: DataDir) -> None:
    (data.path / "site-state.json").write_text('{"standing":"waiting","faults":["Línea 6: algo"]}')
    wired = _wire(data)
    wired.house.close()

    assert set(wired.house.presenters) == {Screen.FUERA_DE_SERVICIO}
    assert "Línea 6" in wired.house.presenters[Screen.FUERA_DE_SERVICIO].view.text
    assert not data.ledger.exists()
