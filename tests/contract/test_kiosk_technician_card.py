"""A technician at a whole kiosk without a window: real pcscd, virtual reader, signed list, stored facts."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.card.private_pcscd import PrivatePcscd, missing
from hardware.card.simulator import CardSimulator
from hardware.card.virtual_piv import VirtualPiv, new_key, public_der
from kiosk.flow import Place, Screen
from kiosk.presenters.views_tecnico import TecnicoPhase
from kiosk.wiring import wire
from municipio.facts import decode_fact
from municipio.settings import parse_settings
from municipio.technicians import Role, Technician, TechnicianList
from municipio.wire.keys import public_pem
from municipio.wire.technician_list import encode_list
from sync.allow_list import list_file
from sync.clock import SystemClock
from sync.datadir import DataDir
from sync.keys import NodeKey
from sync.ledger import SqliteLedger, open_ledger

CITY = Ed25519PrivateKey.generate()
KEY = new_key()
TICK_S, WATCH_S = 0.25, 0.1
SETTINGS = parse_settings({"card": {"enabled": True}})


@pytest.fixture(scope="module")
def pcscd() -> Iterator[PrivatePcscd]:
    if missing():
        pytest.skip(f"NOT RUN: {missing()}")
    built = PrivatePcscd()
    built.start()
    yield built
    built.close()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "node")
    made.create()
    NodeKey.create(made)
    made.city_pub.write_bytes(public_pem(CITY.public_key()))
    first = datetime.now(UTC).date() - timedelta(days=2)
    last = first + timedelta(days=30)
    person = Technician("T-014", public_der(KEY), frozenset(Role), first, last)
    listed = TechnicianList(SETTINGS.text("city.inegi"), 1, first, last, (person,))
    list_file(made).write_bytes(encode_list(listed, CITY.sign))
    return made


class Glass:
    """The screen's thread: what the conductor does, without drawing."""

    def __init__(self, data: DataDir) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        wired = wire(data, SETTINGS, self._posted.put)
        self.house = wired.house
        self.up: Any = self.house.presenters[Screen.HOME]
        self.house.flow.on_place = self._go
        self.house.flow.on_wipe = self._wipe
        self._ticked = self._watched = 0.0
        self._closed = False
        wired.warm_up()

    @property
    def screen(self) -> Screen:
        return self.house.flow.place.screen

    def until(self, holds: Callable[[], bool]) -> None:
        """Live until it holds; fails after ten seconds."""
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end, f"it never came: {self.up.view}"
            self._live()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.house.close()

    def _live(self) -> None:
        now = time.monotonic()
        while not self._posted.empty():
            self._posted.get()()
        if now - self._watched >= WATCH_S and self.house.watch is not None:
            self._watched = now
            self.house.watch()
        if now - self._ticked >= TICK_S:
            self._ticked = now
            self.up.tick(now)
        time.sleep(0.01)

    def _go(self, place: Place) -> None:
        self.up.leave()
        self.up = self.house.presenters[place.screen]
        self.up.enter(**place.params)

    def _wipe(self) -> None:
        for presenter in self.house.presenters.values():
            presenter.wipe()


@pytest.fixture
def glass(data: DataDir, pcscd: PrivatePcscd) -> Iterator[Glass]:
    made = Glass(data)
    yield made
    made.close()


def rows(glass: Glass) -> dict[str, str]:
    return {row.id: row.text for _, group in glass.up.view.groups for row in group}


def stored_acts(data: DataDir) -> list[tuple[str, str]]:
    ledger = open_ledger(data.ledger, SystemClock(data.link_file), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    with ledger.reading() as connection:
        facts = [decode_fact(b) for (b,) in connection.execute("SELECT body FROM fact")]
    ledger.close()
    return [(f.data["action"], f.data["cause"]) for f in facts if f.type == "technician.acted"]


def test_a_card_opens_the_page_and_its_removal_closes_it(
    glass: Glass, data: DataDir, pcscd: PrivatePcscd
) -> None:
    far = CardSimulator(pcscd.port)
    far.insert(VirtualPiv(KEY))
    glass.until(lambda: glass.up.view.screen is Screen.TECNICO)
    glass.until(lambda: glass.up.view.phase is TecnicoPhase.PIN)
    for digit in "123456":
        glass.up.activate(f"tecnico.key.{digit}")
    glass.up.activate("tecnico.enter")
    glass.until(lambda: glass.up.view.phase is TecnicoPhase.PAGE)
    glass.until(lambda: "tecnico.item.space" in rows(glass))
    shown = rows(glass)
    far.remove()
    glass.until(lambda: glass.screen is Screen.HOME)
    far.close()
    glass.close()

    assert shown["tecnico.device.card"] == "Funciona"
    assert glass.house.presenters[Screen.TECNICO].view.groups == ()
    acts = stored_acts(data)
    assert [a for a, _ in acts] == ["login", "logout"]
    assert acts[1] == ("logout", "card_out")
