"""Which terminal a node's settings make, and what only looking at it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.terminal.build import build_terminal, build_to_look, terminal_place
from hardware.terminal.driver import EcrTerminal
from hardware.terminal.mercadopago.driver import PointTerminal
from hardware.terminal.mercadopago.fake_orders import DEMO_TERMINAL
from hardware.terminal.mercadopago.fake_server import write_demo_token
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings, parse_settings


def point(**terminal: str | int | bool) -> Settings:
    # Nobody listens on port 9 of this machine: the terminal is built and never reached.
    base = {"kind": "mercadopago", "point_id": DEMO_TERMINAL, "api_url": "http://127.0.0.1:9"}
    return parse_settings({"terminal": {**base, **terminal}})


def test_a_cable_is_the_default(tmp_path: Path) -> None:
    settings = parse_settings({"terminal": {"port": str(tmp_path / "none")}})
    terminal = build_terminal(settings, tmp_path, lambda: None)
    terminal.close()

    assert isinstance(terminal, EcrTerminal)
    assert terminal_place(settings) == str(tmp_path / "none")


def test_a_point_terminal_keeps_its_orders_and_credential_in_the_nodes_folder(
    tmp_path: Path,
) -> None:
    write_demo_token(tmp_path / "keys" / "mercadopago.token")
    terminal = build_terminal(point(), tmp_path, lambda: None)
    told = terminal.status()
    terminal.close()

    assert isinstance(terminal, PointTerminal)
    assert told.state is not DeviceState.FAULT
    assert (tmp_path / "terminal" / "orders.jsonl").exists()
    assert terminal_place(point()) == DEMO_TERMINAL
    assert terminal_place(point(enabled=False)) == ""


def test_whoever_only_looks_leaves_the_orders_of_the_kiosk_alone(tmp_path: Path) -> None:
    write_demo_token(tmp_path / "keys" / "mercadopago.token")
    kiosk = build_terminal(point(), tmp_path, lambda: None)
    looking = build_to_look(point(), tmp_path)
    second = build_terminal(point(), tmp_path, lambda: None)
    states = [t.status() for t in (looking, second)]
    for terminal in (looking, second, kiosk):
        terminal.close()

    assert states[0].state is not DeviceState.FAULT
    assert states[1] == DeviceStatus(DeviceState.FAULT, "orders_damaged")


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"api_url": "http://example.org"}, "bad_settings"),
        ({"expires_s": 5}, "bad_settings"),
        ({"point_id": "with space"}, "bad_settings"),
        ({"token_file": "keys/none"}, "token_missing"),
    ],
)
def test_settings_that_cannot_be_used_are_a_status(
    wrong: dict[str, str | int | bool], cause: str, tmp_path: Path
) -> None:
    write_demo_token(tmp_path / "keys" / "mercadopago.token")
    terminal = build_terminal(point(**wrong), tmp_path, lambda: None)
    told = terminal.status()
    terminal.close()

    assert told == DeviceStatus(DeviceState.FAULT, cause)
