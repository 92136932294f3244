"""The energy program as a process: a simulated controller on a real serial wire, its switches in a file."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.power.simulator import Kind, SunSimulator
from hardware.power.sun import SolarPlant
from municipio.energy import Band
from plaza.energy_plan import Light, Service, Switch
from plaza.energy_simulator import action_of
from sync.datadir import DataDir
from sync.energy_note import read_energy

WAIT_S = 30.0


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, f"waited {WAIT_S:.0f} s in vain: {what}"
        time.sleep(0.05)


class SolarNode:
    def __init__(self, folder: Path, kind: Kind) -> None:
        self.sun = SunSimulator(kind, SolarPlant(soc=0.9, hour=22.0), time_factor=0.0)
        self.data = DataDir(folder / "node")
        self.data.create()
        port = self.sun.open()
        self.data.settings_file.write_text(
            f'[energy]\nkind = "solar"\n[power]\nkind = "{kind}"\nport = "{port}"\n'
        )
        self.switches = folder / "switches"
        self.log = folder / "log"

    def start(self) -> subprocess.Popen[bytes]:
        argv = ["energy", "run", f"--data={self.data.path}", f"--switches={self.switches}"]
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-P", "-m", "plaza", *argv], stderr=log)

    def band(self) -> Band | None:
        note = read_energy(self.data.energy_file)
        return None if note is None else note.band

    def pressed(self) -> list[object]:
        if not self.switches.exists():
            return []
        return [action_of(line) for line in self.switches.read_text().splitlines()]


@pytest.fixture(params=["vedirect", "epever"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SolarNode]:
    here = SolarNode(tmp_path, request.param)
    yield here
    here.sun.close()


def test_a_battery_that_empties_is_noticed_switched_published_and_survives_a_crash(
    node: SolarNode,
) -> None:
    program = node.start()
    try:
        until(lambda: node.band() is Band.FULL, "a charged battery is seen")
        until(lambda: Light(100) in node.pressed(), "the screen has all its light")
        node.sun.set_charge(2)
        until(lambda: node.band() is Band.GUARD, "an empty battery is seen")
        until(lambda: Switch(Service.KIOSK, on=False) in node.pressed(), "the screen goes dark")
        program.kill()
        program.wait()
        before = len(node.pressed())
        program = node.start()
        until(lambda: len(node.pressed()) > before, "the program is back")
        fresh = node.pressed()[before:]
        assert Switch(Service.KIOSK, on=True) not in fresh
        assert Light(0) in fresh
        program.terminate()
        assert program.wait(timeout=WAIT_S) == 0
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
