"""One scenario on one stage: set up, played headless or step by step before a person, and taken down."""

from __future__ import annotations

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hardware.bench.desk import Deed
from hardware.bench.devices import DEVICES
from hardware.bench.player import Outcome, Phase, Player, StepResult
from hardware.bench.scenario import DeviceDoes, NetworkDoes, NodeDoes, Scenario, Step
from plaza.demo.narration import describe
from plaza.demo.plan import Plan
from plaza.demo.stage import Props, Stage, StageFailed
from plaza.demo.tour import Walk
from plaza.demo.world import RealPace, StageWorld, do_network, do_power

FREE_PLAY = Scenario(
    "libre", "Práctica libre", "Todos los aparatos encendidos y ningún guion.", (),
    devices=tuple(DEVICES),
)  # fmt: skip


def props_of(scenario: Scenario) -> Props:
    """What a scenario needs on the stage. Raises StageFailed when this machine cannot simulate it."""
    for name in scenario.devices:
        if lacks := DEVICES[name].missing():
            raise StageFailed(f"{DEVICES[name].label}: {lacks}")
    return Props(scenario.devices, scenario.settings, scenario.clock == "sure")


def possible(scenario: Scenario) -> Scenario:
    """The same without the devices that this machine cannot simulate."""
    can = tuple(n for n in scenario.devices if not DEVICES[n].missing())
    return replace(scenario, devices=can)


def play_headless(
    scenario: Scenario, plan: Plan, out: Path, *, speed: float, say: Callable[[str], None]
) -> Outcome:
    """Build, play, leave `summary.json`, screens, papers, facts and logs in `out`, take down."""
    stage = Stage(plan, window=False, props=props_of(scenario), say=say)
    started = time.monotonic()
    try:
        stage.prepare()
        stage.start()
        walk = Walk(stage, out)
        world = StageWorld(stage, walk)

        def tell(number: int, step: Step, phase: Phase, note: str) -> None:
            if step.say and phase is Phase.WAITING:
                say(f"     {step.say}")
            if phase in {Phase.DONE, Phase.FAILED} and step.doing is not None:
                say(f"{'ok ' if phase is Phase.DONE else 'NO '} paso {number}: {describe(step)}")
            if phase is Phase.FAILED:
                say(f"     {scenario.name}.yaml:{step.line}: {note}")

        outcome = Player(world, RealPace(), speed=speed, tell=tell).play(scenario)
        _leave(out, outcome, world, walk, time.monotonic() - started)
        return outcome
    finally:
        stage.stop()
        if plan.logs.exists():
            shutil.copytree(plan.logs, out / "logs", dirs_exist_ok=True)


def _leave(out: Path, outcome: Outcome, world: StageWorld, walk: Walk, seconds: float) -> None:
    if world.stage.kiosk.running:
        walk.picture("final")
    shutil.copytree(world.stage.plan.receipts, out / "receipts", dirs_exist_ok=True)
    facts = sorted(world.journal.facts(), key=lambda f: str(f["id"]))
    lines = "".join(json.dumps(f, ensure_ascii=False) + "\n" for f in facts)
    (out / "facts.ndjson").write_text(lines)
    summary = {
        "scenario": outcome.scenario,
        "ok": outcome.ok,
        "seconds": round(seconds, 1),
        "steps": [asdict(s) for s in outcome.steps],
        "not_run": outcome.planned - len(outcome.steps),
        "trouble": outcome.trouble,
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


class Stopped(Exception):
    """The person chose another scenario or closed the bench."""


class _StoppablePace(RealPace):
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped


@dataclass
class Told:
    """What the page shows of one step."""

    text: str
    say: str
    turn: str
    phase: str = ""
    note: str = ""


class Show:
    """A stage that can be changed for another, with the scenario that is playing on it.

    Methods may be called from any thread; changing the scenario takes some seconds.
    """

    def __init__(self, plan: Plan, *, window: bool, speed: float, practice: bool) -> None:
        self.plan = plan
        self.speed = speed
        self.practice = practice
        self._window = window
        self._changing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._skip = threading.Event()
        self._stage: Stage | None = None
        self.scenario = FREE_PLAY
        self.told: list[Told] = []
        self.verdict = ""
        self.trouble = ""
        self.is_changing = False
        self.key = ""
        """Changes with every stage."""
        self.doings: list[NetworkDoes | NodeDoes] = []

    @property
    def stage(self) -> Stage:
        assert self._stage is not None, "open a scenario first"
        return self._stage

    def open(self, scenario: Scenario) -> None:
        """Take down what stands, and build what this scenario needs; `play` begins it.

        Raises StageFailed, before anything is touched, when this machine lacks one of its devices.
        """
        props = props_of(scenario)
        with self._changing:
            self.is_changing = True
            try:
                self._end_play()
                if self._stage is not None:
                    self._stage.stop()
                self.scenario = scenario
                self.told = [Told(describe(s), s.say, s.turn) for s in scenario.steps]
                self.verdict = self.trouble = ""
                stage = Stage(self.plan, window=self._window, props=props)
                stage.prepare()
                stage.start()
                self._stage = stage
                self.key = secrets.token_hex(4)
            finally:
                self.is_changing = False

    def play(self) -> None:
        """Begin the scenario in a thread of its own; nothing when it plays already or has no steps."""
        with self._changing:
            if self.is_playing or not self.scenario.steps or self.verdict:
                return
            self._stop.clear()
            self._thread = threading.Thread(target=self._play, name="scenario", daemon=True)
            self._thread.start()

    @property
    def is_playing(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def do_it_for_me(self) -> None:
        """The person in training would rather see it done."""
        self._skip.set()

    def network(self, verb: str) -> None:
        """A person at the page changes the uplink."""
        do_network(self.stage, verb)
        self.doings.append(NetworkDoes(verb))  # type: ignore[arg-type]  # do_network knows the words

    def power(self, verb: str) -> None:
        """A person at the page cuts or returns the mains."""
        do_power(self.stage, verb)
        self.doings.append(NodeDoes(verb))  # type: ignore[arg-type]  # one of two words

    def close(self) -> None:
        with self._changing:
            self._end_play()
            if self._stage is not None:
                self._stage.stop()

    def _end_play(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=30)
        self._thread = None

    def _play(self) -> None:
        with_out = self.plan.home / "practica"
        world = StageWorld(self.stage, Walk(self.stage, with_out))
        player = Player(
            world, _StoppablePace(self._stop), speed=self.speed, tell=self._tell,
            turn=self._your_turn if self.practice else None,
        )  # fmt: skip
        try:
            outcome = player.play(self.scenario)
        except Stopped:
            return
        self.trouble = outcome.trouble or _first_note(outcome.steps)
        self.verdict = "ok" if outcome.ok else "no"

    def _tell(self, number: int, step: Step, phase: Phase, note: str) -> None:
        self.told[number - 1].phase = phase.value
        self.told[number - 1].note = note

    def _your_turn(self, step: Step) -> bool:
        """Wait until the person does what the step would do, or asks for it to be done."""
        self._skip.clear()
        deeds, doings = len(self.stage.desk.deeds), len(self.doings)
        while not self._skip.is_set():
            if _done(step, self.stage.desk.deeds[deeds:], self.doings[doings:]):
                return True
            if self._stop.wait(0.1):
                raise Stopped
        return False


def _done(step: Step, deeds: list[Deed], doings: list[NetworkDoes | NodeDoes]) -> bool:
    doing = step.doing
    if isinstance(doing, DeviceDoes):
        return any((d.device, d.verb) == (doing.device, doing.verb) for d in deeds)
    return doing in doings


def _first_note(steps: tuple[StepResult, ...]) -> str:
    return next((s.note for s in steps if not s.ok), "")
