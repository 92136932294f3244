"""Plays a scenario on a world: waits, says, does, looks. It knows no device and no clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware.bench.scenario import Doing, Expect, Scenario, Step, Wait

LOOK_EVERY_S = 0.05


class WorldRefused(Exception):
    """The world could not do what a step asked; the message says why, in plain words."""


class World(Protocol):
    """What a scenario is played on: a stage of real programs, or a model in a test."""

    def do(self, doing: Doing, patience_s: float) -> None:
        """Do one thing, trying for at most `patience_s`. Raises WorldRefused."""
        ...

    def missing(self, expect: Expect) -> str:
        """Empty when all of it is true now; else what is not."""
        ...

    def audit(self) -> str:
        """Do money, journal and paper agree at the end? Empty, or the first disagreement."""
        ...


class Pace(Protocol):
    """Time as the player sees it; `sleep` may raise to end the play."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Phase(StrEnum):
    WAITING = "waiting"
    DOING = "doing"
    YOUR_TURN = "your_turn"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepResult:
    number: int
    line: int
    ok: bool
    ms: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`trouble` is what the final audit found."""

    scenario: str
    steps: tuple[StepResult, ...]
    planned: int
    trouble: str = ""

    @property
    def ok(self) -> bool:
        held = all(s.ok for s in self.steps) and len(self.steps) == self.planned
        return held and not self.trouble


Teller = Callable[[int, Step, Phase, str], None]
"""Told of every change: step number from 1, the step, its phase, a note."""

TurnTaker = Callable[[Step], bool]
"""Waits for the person in training; True when the person did it, False to do it for them."""


def nobody_watches(_number: int, _step: Step, _phase: Phase, _note: str) -> None:
    """A teller for a play without an audience."""


class Player:
    """`speed` is seconds of scenario time per real second."""

    def __init__(
        self,
        world: World,
        pace: Pace,
        *,
        speed: float,
        tell: Teller = nobody_watches,
        turn: TurnTaker | None = None,
    ) -> None:
        self._world = world
        self._pace = pace
        self._speed = speed
        self._tell = tell
        self._turn = turn

    def play(self, scenario: Scenario) -> Outcome:
        """Every step in order; the first that fails ends it, since each builds on the last."""
        began = self._pace.now()
        results: list[StepResult] = []
        for number, step in enumerate(scenario.steps, 1):
            self._wait_for(number, step, began)
            started = self._pace.now()
            note = self._one(number, step)
            ms = round((self._pace.now() - started) * 1000)
            results.append(StepResult(number, step.line, not note, ms, note))
            self._tell(number, step, Phase.FAILED if note else Phase.DONE, note)
            if note:
                break
        held = len(results) == len(scenario.steps) and results[-1].ok
        trouble = self._world.audit() if held else ""
        return Outcome(scenario.name, tuple(results), len(scenario.steps), trouble)

    def _wait_for(self, number: int, step: Step, began: float) -> None:
        self._tell(number, step, Phase.WAITING, "")
        if step.at_s is None:
            return
        due = began + step.at_s / self._speed
        while (left := due - self._pace.now()) > 0:
            self._pace.sleep(min(left, 0.25))

    def _one(self, number: int, step: Step) -> str:
        """Empty when the step held; else why it did not."""
        if step.turn and self._turn is not None:
            self._tell(number, step, Phase.YOUR_TURN, "")
            if self._turn(step):
                return ""
        self._tell(number, step, Phase.DOING, "")
        match step.doing:
            case None:
                return ""
            case Wait(seconds):
                self._pace.sleep(seconds / self._speed)
                return ""
            case Expect() as expect:
                return self._look(expect, step.within_s)
        try:
            self._world.do(step.doing, step.within_s)
        except WorldRefused as refused:
            return str(refused)
        return ""

    def _look(self, expect: Expect, within_s: float) -> str:
        deadline = self._pace.now() + within_s
        since: float | None = None
        while True:
            missing = self._world.missing(expect)
            now = self._pace.now()
            since = None if missing else (now if since is None else since)
            if since is not None and now - since >= expect.holds_s:
                return ""
            if now > deadline + (expect.holds_s if since is not None else 0):
                return missing or "no se mantuvo"
            self._pace.sleep(LOOK_EVERY_S)
