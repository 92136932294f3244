"""A card with a good site file, one machine, one day: first start, phone, screen, paper, city, plug.

The tests stand in the order of the day and share the machine. Radios are simulated in the guest; the
printer is our simulator at the far end of a serial line; the city runs on the host behind the uplink.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rig.bench import BOOT_S, Bench, fill_site, plaza, wait_active, wait_agent, wait_running
from rig.card import get_file, names
from rig.city import City
from rig.guest import PYTHON, Guest
from rig.hostnet import HostNet
from rig.machine import Machine, Spec

from hardware.printer.simulator import PrinterSimulator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]
UNITS = ("plaza-portal", "plaza-kiosk", "plaza-sync", "plaza-gate", "plaza-names", "plaza-filter")


@dataclass
class Day:
    """The machine and what stands around it."""

    bench: Bench
    city: City
    printer: PrinterSimulator
    card: Path
    site: str
    spec: Spec
    machine: Machine
    guest: Guest

    def keep_journal(self) -> None:
        journal = self.guest.ask("journalctl", "-b", "--no-pager", "-o", "short-monotonic").out
        (self.bench.folder / "serves/journal.txt").write_text(journal)

    def screen(self) -> dict[str, Any]:
        """What the kiosk says is on its screen; one that is busy drawing is asked again."""
        until = time.monotonic() + 120
        ask = (PYTHON, "-P", "/run/proof/screen.py", "targets")
        while "screen" not in (said := json.loads(self.guest.run(*ask))):
            assert time.monotonic() < until, said
            time.sleep(2)
        return dict(said)

    def picture(self, name: str) -> Image.Image:
        path = self.machine.qmp.screenshot(self.bench.folder / f"{name}.png")
        with Image.open(path) as opened:
            return opened.convert("RGB")

    def offers(self, size: tuple[int, int]) -> dict[str, Any]:
        """The buttons of the screen. A slow host makes a slow person, who says that she is still here."""
        while (found := {t["id"]: t for t in self.screen()["targets"]}).get("idle.stay"):
            self.touch(found["idle.stay"], size)
            time.sleep(1)
        return found

    def press(self, target: str, size: tuple[int, int]) -> None:
        """A finger on the touch panel, where the kiosk says that this button is."""
        found = self.offers(size)
        assert target in found, sorted(found)
        self.touch(found[target], size)

    def touch(self, box: dict[str, Any], size: tuple[int, int]) -> None:
        self.machine.qmp.touch(
            (box["x"] + box["w"] / 2) / size[0], (box["y"] + box["h"] / 2) / size[1]
        )

    def wait_offer(self, size: tuple[int, int], *starts: str, within_s: float = 120) -> str:
        """The first button whose name begins so, as soon as there is one."""
        until = time.monotonic() + within_s
        while True:
            ids = list(self.offers(size))
            for start in starts:
                if found := next((i for i in ids if i.startswith(start)), ""):
                    return found
            assert time.monotonic() < until, ids
            time.sleep(2)

    def wait_screen(self, name: str, within_s: float = 120) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while (seen := self.screen())["screen"] != name:
            assert time.monotonic() < until, f"the screen is {seen['screen']}, not {name}"
            time.sleep(2)
        return seen


@pytest.fixture(scope="module")
def printer(bench: Bench) -> Iterator[PrinterSimulator]:
    shutil.rmtree(bench.folder / "papers", ignore_errors=True)
    printer = PrinterSimulator(bench.folder / "papers")
    yield printer
    printer.close()


@pytest.fixture(scope="module")
def day(bench: Bench, city: City, net: HostNet, printer: PrinterSimulator) -> Iterator[Day]:
    site = fill_site(city, 12, printer="/dev/ttyS2")
    card = bench.card("serves", site)
    spec = replace(
        bench.spec(card, radios=True, remote=True), screen=True, network=net,
        lines={"printer": printer.open()},
    )  # fmt: skip
    with bench.start(spec, "serves") as machine:
        guest = wait_agent(machine)
        day = Day(bench, city, printer, card, site, spec, machine, guest)
        yield day
        with contextlib.suppress(OSError):  # the day's last test has pulled the plug
            day.keep_journal()


@dataclass
class Street:
    """The phone's steps, which go on while the kiosk is used, as in a plaza."""

    day: Day
    log: str = "/run/street.ndjson"

    def steps(self, within_s: float) -> list[dict[str, Any]]:
        """Every step's line, once the phone is through."""
        until = time.monotonic() + within_s
        while '"phones"' not in (said := self.day.guest.ask("cat", self.log).out):
            assert time.monotonic() < until, said[-1500:]
            time.sleep(2)
        (self.day.bench.folder / "serves/street.ndjson").write_text(said)
        lines = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
        return [line for line in lines if "step" in line]


@pytest.fixture(scope="module")
def street(day: Day) -> Street:
    street = Street(day)
    day.guest.ask(PYTHON, "-P", "/run/proof/station.py", log=street.log)
    return street


def test_the_first_start_ends_with_every_unit_running(day: Day) -> None:
    assert wait_running(day.guest) == "running", day.guest.run("systemctl", "--failed")
    seconds = wait_active(day.guest, UNITS, BOOT_S)
    memory = {u: day.guest.run("systemctl", "show", "-P", "MemoryCurrent", u) for u in UNITS}
    day.bench.note(
        boot_seconds=seconds,
        memory_mib={u: int(b) >> 20 for u, b in memory.items()},
        kiosk_portal_memory=day.guest.run("free", "-m"),
    )


def test_the_node_is_the_one_of_its_site_file(day: Day) -> None:
    settings = day.guest.run("cat", "/data/plaza/settings.toml")

    assert "number = 12" in settings
    assert day.city.url in settings


def test_the_code_of_the_site_file_is_not_on_the_card_any_more(day: Day) -> None:
    code = next(line for line in day.site.splitlines() if line.startswith("code"))

    assert code.split('"')[1] not in day.guest.run("cat", "/boot/plaza/plaza.toml")


def test_a_fact_of_the_node_arrives_at_the_city(day: Day) -> None:
    fact = day.city.wait_fact("node.started", 240)

    assert fact["source"].endswith("COA012")


def test_the_citys_services_arrive_at_the_node(day: Day) -> None:
    found, until = ("journalctl", "-u", "plaza-pull", "-g", "content .* is installed"), BOOT_S
    until += time.monotonic()
    while day.guest.ask(*found).code != 0:
        assert time.monotonic() < until, day.guest.run("journalctl", "-u", "plaza-pull")
        time.sleep(4)


@pytest.mark.usefixtures("street")
def test_a_new_kiosk_shows_its_checklist_and_lets_the_citizens_in(day: Day) -> None:
    """The picture, by QEMU's own screenshot, has more than one colour: something was drawn."""
    assert day.wait_screen("puesta", BOOT_S)["texts"]
    checklist = day.picture("kiosk-checklist")
    day.press("puesta.serve", checklist.size)
    day.wait_screen("home")
    picture = day.picture("kiosk-home")

    assert len(checklist.getcolors(1 << 24) or []) > 50, "one colour is no screen"
    assert picture.tobytes() != checklist.tobytes()


def test_a_finger_on_the_panel_opens_the_services(day: Day) -> None:
    before = day.picture("kiosk-before")

    day.press("home.tramites", before.size)

    assert day.wait_screen("tramites")["texts"]
    assert day.picture("kiosk-services").tobytes() != before.tobytes()


def test_a_paper_comes_out_of_the_serial_port(day: Day) -> None:
    """The requirements of the first service that the screen offers."""
    size = day.picture("kiosk-services").size
    found = day.wait_offer(size, "tramites.open.", "tramites.category.")
    if found.startswith("tramites.category."):
        day.press(found, size)
    day.press(day.wait_offer(size, "tramites.open."), size)
    day.wait_screen("tramite")
    day.press("tramite.print", size)
    until = time.monotonic() + 120
    while not (papers := day.printer.receipts()):
        assert time.monotonic() < until, "no paper came out"
        time.sleep(1)
    day.picture("kiosk-printed")

    assert (day.printer.out_dir / f"{papers[0]}.txt").read_text().strip()


def test_a_phone_joins_and_is_served_filtered_and_cut(day: Day, street: Street) -> None:
    steps = street.steps(900)
    day.bench.note(street_seconds={line["step"]: line["seconds"] for line in steps})

    assert {line["step"]: line["error"] for line in steps if not line["ok"]} == {}
    assert len(steps) == 9


def test_an_acceptance_of_the_terms_arrives_at_the_city(day: Day) -> None:
    assert day.city.wait_fact("terms.accepted", 240)["lane"] == "acc"


def test_the_plug_is_pulled_and_the_node_starts_as_the_same_node(day: Day) -> None:
    keys = ("sha256sum", "/data/plaza/keys/node.pub", "/data/system/machine-id")
    before = day.guest.run(*keys)
    day.keep_journal()
    day.machine.cut()
    assert get_file(day.card, "plaza-error.txt") is None, names(day.card)

    with day.bench.start(day.spec, "again") as machine:
        guest = wait_agent(machine)

        assert wait_running(guest) == "running"
        assert guest.run(*keys) == before
        assert plaza(guest, "sync", "verify").startswith("ok:")
    assert len([f for f in day.city.facts() if f["type"] == "node.started"]) >= 1
