"""A stage on the sun: the real energy program reads a simulated controller, and its switches switch.

The battery's time runs fast (`PACE`); the node's programs, its ledger, the city and the network run at
their own. While a person uses the node the sun stands still, so that nobody is hurried by it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from hardware.bench.scenario import DEFAULT_DEVICES, Scalar
from hardware.power.simulator import SunSimulator
from hardware.power.sun import Weather
from municipio.energy import Band
from plaza.demo.plan import Plan
from plaza.demo.processes import Program
from plaza.demo.stage import CLOCK_DOUBT, Props, Stage, settings_text
from plaza.energy_plan import Halt, Light, Service, Switch, Wanted
from plaza.energy_simulator import action_of
from plaza.energy_site import ALL_ON, Loads, drawn_w
from sync.energy_note import read_energy

PACE = 21_600
"""A day of sun in four seconds."""
SUNNY = 2
"""Days without clouds go by so many times faster: nothing changes in them."""
FOLLOW_S = 0.05
SOLAR: tuple[tuple[str, Scalar], ...] = (
    ("node.site", "Ejido Las Barrillas (demostración)"),
    ("node.address", "Casa ejidal (demostración)"),
    ("energy.kind", "solar"),
    ("energy.wake", "controller_voltage"),
)


class SolarStage(Stage):
    """Adds the energy program, and a hand that does to the other programs what it asks for."""

    def __init__(self, plan: Plan, say: Callable[[str], None] = print) -> None:
        super().__init__(plan, window=False, say=say, props=Props((*DEFAULT_DEVICES, "sun"), SOLAR))
        self._journal = plan.home / "switches"
        self.energy = self._program(
            "energy", "plaza", "energy", "run", f"--data={plan.node}",
            f"--switches={self._journal}", f"--pace={PACE}",
        )  # fmt: skip
        self.wanted: Wanted = ALL_ON
        """What the energy program has switched so far."""
        self.halts = 0
        self.was_cut = False
        """The controller took the current away at some time."""
        self._read = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def sun(self) -> SunSimulator:
        sun: SunSimulator = self.desk["sun"]
        return sun

    @property
    def node_programs(self) -> tuple[Program, ...]:
        return (*super().node_programs, self.energy)

    @property
    def band(self) -> Band | None:
        """As the node's own programs read it."""
        note = read_energy(self.plan.node / "run" / "energy.json")
        return None if note is None else note.band

    @property
    def day(self) -> int:
        """Days of sun since the curtain rose."""
        return self.sun.truth().day

    def start(self) -> None:
        self.hold_sun()
        super().start()
        self._thread = threading.Thread(target=self._follow, name="switches", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
        super().stop()

    def let_sun(self, weather: Weather, times: float = 1.0) -> None:
        self.sun.set_weather(weather)
        self.sun.set_time_factor(PACE * times)

    def hold_sun(self) -> None:
        self.sun.set_time_factor(0)

    def lose_the_time(self) -> None:
        """The clock's battery is flat: nothing proves the time until somebody signs it again."""
        values: dict[str, Scalar] = {**self._settings(), "node.rtc": False}
        (self.plan.node / "settings.toml").write_text(settings_text(values))
        for program in self.node_programs:
            program.env[CLOCK_DOUBT] = "1"

    # --- the hand on the switches ---------------------------------------------------------------

    def _follow(self) -> None:
        while not self._closing.wait(FOLLOW_S):
            self.was_cut = self.was_cut or not self.sun.truth().load_on
            for line in self._news():
                self._do(line)

    def _news(self) -> list[str]:
        try:
            text = self._journal.read_text(encoding="utf-8")
        except OSError:
            return []
        fresh = text[self._read :]
        whole = fresh[: fresh.rfind("\n") + 1]
        self._read += len(whole)
        return whole.splitlines()

    def _do(self, line: str) -> None:
        action = action_of(line)
        state: dict[str, Any] = {n: getattr(self.wanted, n) for n in Wanted.__slots__}
        if isinstance(action, Switch):
            state[action.service.value] = action.on
            program = self._program_of(action.service)
            if program is not None:
                program.start() if action.on else program.stop()
        elif isinstance(action, Light):
            state["screen_percent"] = action.percent
        elif isinstance(action, Halt):
            self.halts += 1
        else:
            document = json.loads(line)
            name = {"processor": "slow_processor"}.get(document["do"], document["do"])
            if name in state:
                state[name] = document.get("on", document.get("slow"))
        self.wanted = Wanted(**state)
        self.sun.plant.load_w = drawn_w(self.wanted, Loads())

    def _program_of(self, service: Service) -> Program | None:
        found = {
            Service.KIOSK: self.kiosk,
            Service.PORTAL: self.portal,
            Service.CARRIER: self.sync,
        }
        return found.get(service)

    def wait_band(self, *bands: Band, timeout_s: float) -> bool:
        """Let time pass until the node is in one of these bands."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.band in bands:
                return True
            time.sleep(0.02)
        return False
