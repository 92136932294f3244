"""A board with two slots, a start loader that counts tries, and a RAUC on it. Power can go at any moment.

The loader's rule is that of the image's GRUB: the first slot in the order that is not bad and was tried
fewer than three times since somebody called it good. A bundle is a JSON file: who signed it, for which
board, and how the version behaves once it runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plaza.updates.rauc import BundleFile, Mark, RaucTrouble, Slot, Slots

TRIES = 3
OTHER = {"A": "B", "B": "A"}
NAMES = {"A": "rootfs.0", "B": "rootfs.1"}


class PowerCut(Exception):
    """The machine is off; nothing in memory is left."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a slot holds. `starts`: the kernel comes up; `serves`: a citizen is served."""

    version: str
    starts: bool = True
    serves: bool = True


HALF_WRITTEN = Image("", starts=False, serves=False)


@dataclass
class Board:
    """What survives a cut: the slots and the loader's variables. `running` is None while it is off."""

    compatible: str = "plaza-vm-amd64"
    slots: dict[str, Image] = field(
        default_factory=lambda: {"A": Image("0.1.0"), "B": HALF_WRITTEN}
    )
    order: list[str] = field(default_factory=lambda: ["A", "B"])
    ok: dict[str, bool] = field(default_factory=lambda: {"A": True, "B": False})
    tries: dict[str, int] = field(default_factory=lambda: {"A": 0, "B": 0})
    written: dict[str, str] = field(default_factory=dict)
    running: str | None = None
    boots: int = 0
    cut: Callable[[str], None] = lambda _: None
    """Called before each change that a cut may fall between; raises PowerCut when it does."""

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boots}"

    def power_on(self) -> bool:
        """Start until a slot comes up; False when none does in twelve starts."""
        for _ in range(4 * TRIES):
            slot = self._choose()
            self.tries[slot] += 1
            self.boots += 1
            if self.slots[slot].starts:
                self.running = slot
                return True
        self.running = None
        return False

    def power_off(self) -> None:
        self.running = None

    @property
    def image(self) -> Image:
        assert self.running is not None, "it is off"
        return self.slots[self.running]

    def _choose(self) -> str:
        fit = [s for s in self.order if self.ok[s]]
        fresh = [s for s in fit if self.tries[s] < TRIES]
        if not fresh:
            # Every try is used up: rather any slot again than none.
            self.tries = dict.fromkeys(self.tries, 0)
        return (fresh or fit or ["A"])[0]


class SimulatedRauc:
    """RAUC as its users see it, on a board. `key` is what this image trusts."""

    def __init__(self, board: Board, key: str = "city") -> None:
        self._board = board
        self._key = key

    def status(self) -> Slots | RaucTrouble:
        if self._board.running is None:
            return RaucTrouble("the board is off")
        return Slots(
            self._board.compatible,
            self._slot(self._board.running),
            self._slot(OTHER[self._board.running]),
        )

    def info(self, file: Path) -> BundleFile | RaucTrouble:
        found = self._read(file)
        if isinstance(found, RaucTrouble):
            return found
        return BundleFile(found["compatible"], found["version"])

    def install(self, file: Path) -> RaucTrouble | None:
        found = self._read(file)
        if isinstance(found, RaucTrouble):
            return found
        board, slot = self._board, OTHER[self._board.running or "A"]
        if found["compatible"] != board.compatible:
            return RaucTrouble(f"rauc install: compatible mismatch: {found['compatible']}")
        board.cut("mark the slot bad")
        board.ok[slot], board.tries[slot] = False, 0
        board.cut("begin to write")
        board.slots[slot] = HALF_WRITTEN
        board.written.pop(slot, None)
        board.cut("end writing")
        version = found["version"]
        behaves = (found.get("starts") != "no", found.get("serves") != "no")
        board.slots[slot] = Image(version, *behaves)
        board.written[slot] = version
        board.cut("make it what starts next")
        self._activate(slot)
        return None

    def mark(self, mark: Mark, *, other: bool = False) -> RaucTrouble | None:
        board = self._board
        assert board.running is not None, "it is off"
        slot = OTHER[board.running] if other else board.running
        board.cut(f"mark {slot} {mark.value}")
        if mark is Mark.ACTIVE:
            self._activate(slot)
        else:
            board.ok[slot], board.tries[slot] = mark is Mark.GOOD, 0
        return None

    def _activate(self, slot: str) -> None:
        board = self._board
        board.ok[slot], board.tries[slot] = True, 0
        board.order = [slot, OTHER[slot]]

    def _slot(self, name: str) -> Slot:
        board = self._board
        good = board.ok[name] and board.tries[name] == 0
        running = name == board.running
        return Slot(NAMES[name], name, running, good, board.written.get(name, ""))

    def _read(self, file: Path) -> dict[str, str] | RaucTrouble:
        try:
            found: dict[str, str] = json.loads(file.read_text())
        except (OSError, ValueError) as e:
            return RaucTrouble(f"rauc: {file}: not a bundle: {e}")
        if found.get("signed") != self._key:
            return RaucTrouble(f"rauc: {file}: signature verification failed")
        return found


def make_bundle(
    file: Path, version: str, *, compatible: str = "plaza-vm-amd64", signed: str = "city",
    starts: bool = True, serves: bool = True,
) -> Path:  # fmt: skip
    """A bundle for the simulated RAUC."""
    about = {"compatible": compatible, "version": version, "signed": signed}
    behaves = {"starts": "yes" if starts else "no", "serves": "yes" if serves else "no"}
    file.write_text(json.dumps(about | behaves))
    return file
