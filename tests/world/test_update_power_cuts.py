"""Updates with the power cut at any step: the node always starts, and ends with a version that serves.

Everything of a node is simulated but the updater, its journal and its rules: the slots, the start loader
that counts tries, RAUC's steps, the fetching. `PLAZA_UPDATE_CUTS` is how many seeds are run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from municipio.energy import Band
from municipio.facts import FactType
from municipio.wire.software import Bundle
from plaza.updates.fetch import Fetch, Fetcher, Means
from plaza.updates.health import Health, Look, Part, Trial
from plaza.updates.journal import MemoryJournal
from plaza.updates.rauc import RaucTrouble
from plaza.updates.rauc_simulator import Board, PowerCut, SimulatedRauc, make_bundle
from plaza.updates.rules import Here, Moment, Window
from plaza.updates.state import Source, State
from plaza.updates.updater import Did, Node, Updater
from plaza.updates.watch import Watched, watch

SEEDS = int(os.environ.get("PLAZA_UPDATE_CUTS", "400"))
NIGHT = datetime(2026, 1, 20, 3, 0)  # noqa: DTZ001 - the hour of the place
TRIAL = Trial(60, 120)
OLD, NEW = "0.1.0", "0.2.0"
OFFER = Bundle(NEW, "vm-amd64", 5, 1, 9, None, False, "t", 1, "5ha")


class Restart(Exception):
    """The machine starts anew because it was told to."""


@dataclass
class Life:
    """One board, what is on its card, and the chance of a cut before each change."""

    chance: random.Random
    folder: Path
    cuts_left: int
    starts: bool = True
    serves: bool = True
    board: Board = field(default_factory=Board)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    facts: list[tuple[FactType, dict[str, Any]]] = field(default_factory=list)
    cuts: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.board.cut = self.cut
        self.journal.cut = self.cut

    @property
    def ms(self) -> int:
        return int(self.seconds * 1000)

    def cut(self, _: str) -> None:
        if self.cuts_left and self.chance.random() < 0.12:
            self.cuts_left -= 1
            self.cuts += 1
            raise PowerCut

    def one_start(self) -> None:
        """The board comes up and does its day: judges itself, takes what is offered, installs."""
        assert self.board.power_on(), "no slot starts: somebody would have to travel"
        assert self.board.image.version, "a half written slot runs"
        try:
            updater = self.updater()
            watched = watch(updater, TRIAL, self.look, lambda: False, self.wait)
            assert not isinstance(watched, RaucTrouble), watched
            self.fetch()
            updater.settle()
            while updater.advance() in (Did.INSTALLED, Did.FAILED):
                pass
        except (PowerCut, Restart):
            self.board.power_off()

    def updater(self) -> Updater:
        node = Node(
            boot=self.board.boot_id, boot_ms=lambda: self.ms, here=self.here(),
            window=Window(2, 5), moment=lambda told: Moment(Band.FULL, None, told),
            rows=str, tell=self.tell, restart=self.restart,
        )  # fmt: skip
        return Updater(node, self.journal, SimulatedRauc(self.board))

    def here(self) -> Here:
        return Here(self.board.image.version, "vm-amd64", 5, 3, NIGHT)

    def fetch(self) -> None:
        means = Means(
            here=self.here(), boot=self.board.boot_id, boot_ms=lambda: self.ms, folder=self.folder,
            is_automatic=True, band=lambda: Band.FULL, free_bytes=lambda: 10**10,
            wave=lambda _: True, download=self.download,
        )  # fmt: skip
        Fetcher(means, self.journal).round([OFFER], Source.CITY)

    def download(self, bundle: Bundle, file: Path, may_go_on: Callable[[], bool]) -> Fetch:
        assert may_go_on()
        part = file.with_suffix(".part")
        part.touch()
        self.cut("half of the file")
        make_bundle(part, bundle.version, starts=self.starts, serves=self.serves)
        self.cut("all of the file")
        part.replace(file)
        return Fetch.WHOLE

    def tell(self, kind: FactType, data: Mapping[str, Any]) -> bool:
        self.cut("record a fact")
        self.facts.append((kind, dict(data)))
        return True

    def restart(self) -> None:
        self.cut("start anew")
        raise Restart

    def look(self) -> Look:
        self.cut("look")
        well = Health.WELL if self.board.image.serves else Health.UNWELL
        return Look(self.seconds, {Part.PORTAL: well}, {Part.PORTAL: "no answer"})

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def lived(seed: int, folder: Path, cuts: int, starts: bool = True, serves: bool = True) -> Life:
    """Forty starts of one board, with at most so many cuts."""
    place = folder / str(seed)
    place.mkdir()
    life = Life(random.Random(seed), place, cuts, starts, serves)
    for _ in range(40):
        life.one_start()
    life.cuts_left = 0
    life.one_start()
    life.one_start()
    return life


def told(life: Life) -> list[FactType]:
    return [kind for kind, _ in life.facts]


@pytest.mark.parametrize("block", range(4))
def test_a_good_update_is_taken_wherever_the_power_is_cut(block: int, tmp_path: Path) -> None:
    for seed in range(block, SEEDS, 4):
        life = lived(seed, tmp_path, cuts=2)
        assert life.board.power_on()
        assert life.board.image.version == NEW, seed
        assert life.journal.read().state is State.IDLE, seed
        assert told(life)[-1] is FactType.NODE_UPDATED, seed


@pytest.mark.parametrize(("starts", "serves"), [(False, False), (True, False)])
def test_an_update_that_does_not_serve_goes_again_wherever_the_power_is_cut(
    starts: bool, serves: bool, tmp_path: Path
) -> None:
    for seed in range(SEEDS):
        life = lived(seed, tmp_path, cuts=seed % 20, starts=starts, serves=serves)
        assert life.board.power_on()
        assert life.board.image.version == OLD, seed
        assert life.journal.read().state is State.IDLE, seed
        assert set(told(life)) == {FactType.NODE_UPDATE_RETURNED}, seed
        assert life.facts[0][1]["version"] == NEW
        assert life.facts[0][1]["back_to"] == OLD


def test_any_number_of_cuts_leaves_a_node_that_serves(tmp_path: Path) -> None:
    """Also when a good version is given up because it never had power for its trial."""
    kept = 0
    for seed in range(SEEDS):
        life = lived(seed, tmp_path, cuts=60)
        assert life.board.power_on()
        assert life.board.image.serves, seed
        assert life.journal.read().state is State.IDLE, seed
        kept += life.board.image.version == NEW
    assert kept > SEEDS * 0.6


def test_the_slot_that_comes_back_is_good_before_anybody_is_told(tmp_path: Path) -> None:
    """Found by seed: three cuts in the old slot used up its tries too, and the bad one came again."""
    life = lived(2594, tmp_path, cuts=6, serves=False)
    assert life.board.power_on()
    assert life.board.image.version == OLD


@pytest.mark.parametrize("wanted", ["found_good", "go_back"])
def test_a_person_may_end_a_trial_while_it_is_judged(wanted: str, tmp_path: Path) -> None:
    """And whoever judges it then leaves it alone, instead of falling over it."""
    life = Life(random.Random(0), tmp_path, cuts_left=0)
    life.one_start()
    assert life.board.power_on()

    def decide(_: float) -> None:
        with suppress(Restart):
            getattr(life.updater(), wanted)()

    ended = watch(life.updater(), TRIAL, life.look, lambda: False, decide)

    assert ended is Watched.DECIDED
    assert told(life)[:1] == ([FactType.NODE_UPDATED] if wanted == "found_good" else [])


def test_cuts_within_minutes_of_starting_never_take_a_good_version_away(tmp_path: Path) -> None:
    """A weak battery: a hundred starts that last seconds."""
    life = lived(1, tmp_path, cuts=0)
    assert life.board.power_on()
    for _ in range(100):
        life.one_start()
        life.board.power_off()
    assert life.board.power_on()
    assert life.board.image.version == NEW
