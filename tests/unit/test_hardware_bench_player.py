"""The player on a small world: order, pace, patience, turns, and the first failure ends it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hardware.bench.player import Phase, Player, WorldRefused
from hardware.bench.scenario import Doing, Expect, NetworkDoes, Scenario, Step, Tap, Wait


@dataclass
class ModelWorld:
    """Time that only sleeping moves; what is expected becomes true at a moment."""

    time: float = 0.0
    true_from: float = 0.0
    true_until: float = float("inf")
    refuses: str = ""
    disagrees: str = ""
    done: list[tuple[float, Doing]] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def do(self, doing: Doing, patience_s: float) -> None:
        if self.refuses:
            raise WorldRefused(self.refuses)
        self.done.append((round(self.time, 3), doing))

    def missing(self, expect: Expect) -> str:
        return "" if self.true_from <= self.time <= self.true_until else "todavía no"

    def audit(self) -> str:
        return self.disagrees


CUT, TAP = NetworkDoes("cut"), Tap("home.predial")


def scenario(*steps: Step) -> Scenario:
    return Scenario("prueba", "Prueba", "", steps)


@pytest.fixture
def world() -> ModelWorld:
    return ModelWorld()


def test_a_step_happens_no_earlier_than_it_says_and_speed_compresses_it(world: ModelWorld) -> None:
    steps = (Step(1, 10.0, doing=CUT), Step(2, doing=TAP), Step(3, 30.0, doing=TAP))

    outcome = Player(world, world, speed=10).play(scenario(*steps))

    assert outcome.ok
    assert world.done == [(1.0, CUT), (1.0, TAP), (3.0, TAP)]


def test_a_wait_is_scenario_time_and_patience_is_real_time(world: ModelWorld) -> None:
    world.true_from = 7.0
    steps = (Step(1, doing=Wait(50.0)), Step(2, within_s=3.0, doing=Expect(screen=("home",))))

    outcome = Player(world, world, speed=10).play(scenario(*steps))

    assert outcome.ok
    assert world.time == pytest.approx(7.0, abs=0.1)


def test_what_never_comes_true_is_told_and_ends_the_play(world: ModelWorld) -> None:
    world.true_from = 100.0
    steps = (Step(4, within_s=2.0, doing=Expect(screen=("home",))), Step(5, doing=TAP))

    outcome = Player(world, world, speed=1).play(scenario(*steps))

    assert not outcome.ok
    assert [(s.line, s.ok, s.note) for s in outcome.steps] == [(4, False, "todavía no")]
    assert world.done == []


def test_what_must_hold_is_looked_at_until_it_held(world: ModelWorld) -> None:
    world.true_until = 1.0
    brief = Step(1, within_s=2.0, doing=Expect(papers=1, holds_s=3.0))
    lasting = Step(1, within_s=2.0, doing=Expect(papers=1, holds_s=0.5))

    assert not Player(world, world, speed=1).play(scenario(brief)).ok
    world.time = 0.0
    assert Player(world, world, speed=1).play(scenario(lasting)).ok


def test_a_world_that_refuses_fails_the_step_with_its_reason(world: ModelWorld) -> None:
    world.refuses = "el kiosco no contesta"

    outcome = Player(world, world, speed=1).play(scenario(Step(9, doing=TAP)))

    assert [s.note for s in outcome.steps] == ["el kiosco no contesta"]


def test_books_that_disagree_at_the_end_fail_a_play_whose_steps_all_held(world: ModelWorld) -> None:
    world.disagrees = "dos recibos originales"

    outcome = Player(world, world, speed=1).play(scenario(Step(1, doing=TAP)))

    assert outcome.trouble == "dos recibos originales"
    assert not outcome.ok


def test_in_training_the_person_does_the_step_or_has_it_done(world: ModelWorld) -> None:
    seen: list[tuple[int, Phase]] = []
    answers = iter((True, False))
    player = Player(
        world, world, speed=1, tell=lambda n, _s, p, _note: seen.append((n, p)),
        turn=lambda _step: next(answers),
    )  # fmt: skip

    outcome = player.play(
        scenario(Step(1, turn="Corte la red.", doing=CUT), Step(2, turn="Otra vez.", doing=CUT))
    )

    assert outcome.ok
    assert world.done == [(0.0, CUT)]
    assert (1, Phase.YOUR_TURN) in seen
    assert (1, Phase.DOING) not in seen
    assert (2, Phase.DOING) in seen


def test_without_a_person_a_turn_is_simply_done(world: ModelWorld) -> None:
    Player(world, world, speed=1).play(scenario(Step(1, turn="Corte la red.", doing=CUT)))

    assert [d for _, d in world.done] == [CUT]
