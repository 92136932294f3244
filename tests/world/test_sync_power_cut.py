"""Power cuts at random moments: what was announced is there, the chain is whole, no folio comes twice.

The disk is simulated below SQLite: a write is safe only after a sync; at the cut each write since then
is kept, lost or torn at a sector, by chance. A run is decided by its seed. `PLAZA_POWER_CUTS` asks for
more cuts than the usual ones.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.devices import PrintVerdict
from municipio.facts import LANES, FactDraft, FactType, encode_fact, fact_hash
from municipio.usecases.ports import FolioStub, NotRecorded, PrintJob, Recorded
from municipio.wire.ack import Ack
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Outbox
from sync.verify import verify_ledger

CUTS = int(os.environ.get("PLAZA_POWER_CUTS", "400"))
ROUNDS = 20
SECTOR = 512
TYPES = [FactType.PAYMENT_TAKEN, FactType.REPORT_FILED, FactType.DEVICE_CHANGED]


class Now:
    def now(self) -> Instant:
        return Instant(datetime(2026, 1, 20, tzinfo=UTC), TimeQuality.SYNCED, "boot", 1)


@dataclass
class Disk:
    """What is safe of each file, and the writes that are not yet."""

    chance: random.Random
    steps_left: int = 0
    safe: dict[str, bytes] = field(default_factory=dict)
    loose: dict[str, list[tuple[int, bytes | None]]] = field(default_factory=dict)

    def touch(self) -> None:
        """Every change of the disk costs a step; without steps there is no power."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise apsw.IOError("the power is off")

    def opened(self, name: str) -> None:
        if name not in self.loose:
            path = Path(name)
            self.safe[name] = path.read_bytes() if path.exists() else b""
            self.loose[name] = []

    def synced(self, name: str) -> None:
        self.safe[name] = self._after(name, certain=True)
        self.loose[name] = []

    def cut(self) -> None:
        """Leave each file as the power cut left it, in place."""
        for name in self.loose:
            Path(name).write_bytes(self._after(name, certain=False))

    def _after(self, name: str, *, certain: bool) -> bytes:
        content = bytearray(self.safe[name])
        for offset, data in self.loose[name]:
            if data is None:
                if certain or self.chance.random() < 0.5:
                    del content[offset:]
                continue
            for start, piece in self._survivors(data, certain=certain):
                if len(content) < offset + start:
                    content.extend(bytes(offset + start - len(content)))
                content[offset + start : offset + start + len(piece)] = piece
        return bytes(content)

    def _survivors(self, data: bytes, *, certain: bool) -> Iterator[tuple[int, bytes]]:
        """The parts of one write that reached the disk: all, none, or some sectors of it."""
        fate = "whole" if certain else self.chance.choice(["whole", "lost", "torn", "front"])
        if fate == "whole":
            yield 0, data
        elif fate == "front":
            yield 0, data[: self.chance.randrange(len(data) + 1)]
        elif fate == "torn":
            for start in range(0, len(data), SECTOR):
                if self.chance.random() < 0.5:
                    yield start, data[start : start + SECTOR]


class CutFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        self.name = name.filename() if isinstance(name, apsw.URIFilename) else name
        disk.opened(self.name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.touch()
        self.disk.loose[self.name].append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.disk.touch()
        self.disk.loose[self.name].append((size, None))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self.disk.touch()
        self.disk.synced(self.name)


class CutVfs(apsw.VFS):
    def __init__(self, disk: Disk, name: str) -> None:
        self.disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> CutFile:
        return CutFile(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.disk.touch()
        super().xDelete(filename, syncdir)


@dataclass
class Node:
    """One ledger through many cuts, and what it announced."""

    path: Path
    chance: random.Random
    vfs: str
    device: CutVfs
    disk: Disk
    announced: dict[str, bytes] = field(default_factory=dict)
    synchronous: int = 2

    def live_until_the_cut(self) -> int:
        """Open, work, lose power; how many announced facts are missing afterwards."""
        self.disk.safe.clear()
        self.disk.loose.clear()
        self.disk.steps_left = self.chance.randrange(3, 120)
        opened = open_ledger(self.path, Now(), "COA007", "30039", vfs=self.vfs)
        if isinstance(opened, SqliteLedger):
            with opened.reading() as db:
                db.pragma("synchronous", self.synchronous)
                db.pragma("wal_autocheckpoint", 12)
            try:
                while self._deed(opened):
                    pass
            except apsw.Error:
                assert self.disk.steps_left < 0
            self.disk.steps_left = -1
            try:
                opened.close()
            except apsw.Error:
                assert self.disk.steps_left < 0
        self.disk.cut()
        return self._missing()

    def _deed(self, ledger: SqliteLedger) -> bool:
        """One thing that programs do; False when the power is gone."""
        outbox = Outbox(ledger)
        deed = self.chance.random()
        if deed < 0.7:
            done = ledger.record(
                FactDraft(self.chance.choice(TYPES), {"sealed": "x" * self.chance.randrange(3000)}),
                lambda n: [
                    FolioStub(n.folio, "reporte", "en_cola", ""),
                    PrintJob(n.fact_id, n.folio, "k", 0, "", b"ticket", PrintVerdict.PENDING),
                ],
            )
            if isinstance(done, NotRecorded):
                return False
            assert done.folio not in self.announced
            self.announced[done.folio] = encode_fact(done.fact)
        elif deed < 0.9:
            self._acknowledge(outbox)
        else:
            outbox.prune(kept_facts=3)
        return True

    def _acknowledge(self, outbox: Outbox) -> None:
        waiting = [s for s in outbox.stretches() if s.waiting]
        if waiting:
            s = self.chance.choice(waiting)
            through = self.chance.randint(s.acked + 1, s.last)
            load = outbox.load(s.lane, s.epoch, through, 1)
            assert load is not None
            outbox.apply_ack(Ack("COA007", s.epoch, s.lane, through, fact_hash(load.facts[0])))

    def _missing(self) -> int:
        """Open with the real disk, check every promise, and count what was announced and is not there."""
        ledger = open_ledger(self.path, Now(), "COA007", "30039")
        assert isinstance(ledger, SqliteLedger), ledger
        assert verify_ledger(ledger).problems == ()
        held = {s.lane: s for s in Outbox(ledger).stretches()}
        missing = 0
        for folio, raw in self.announced.items():
            lane = next(lane for lane in LANES if lane.letter == folio.split("-")[1][0])
            number = int(folio.split("-")[2])
            there = lane in held and number <= held[lane].last and ledger.folio(folio) is not None
            load = Outbox(ledger).load(lane, 1, number, 1) if there else None
            is_same = load is None or load.facts[0] == raw
            missing += not (there and is_same)
        ledger.close()
        return missing


def make_node(folder: Path, seed: int, synchronous: int = 2) -> Node:
    chance = random.Random(seed)
    path = folder / f"ledger-{seed}.sqlite"
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    ledger.close()
    disk = Disk(chance)
    name = f"cut-{seed}-{synchronous}"
    return Node(path, chance, name, CutVfs(disk, name), disk, synchronous=synchronous)


@pytest.mark.parametrize("seed", range(CUTS // ROUNDS))
def test_a_power_cut_loses_nothing_that_was_announced(tmp_path: Path, seed: int) -> None:
    node = make_node(tmp_path, seed)
    for cut in range(ROUNDS):
        assert node.live_until_the_cut() == 0, f"seed {seed}, cut {cut}"
    assert len(node.announced) > ROUNDS


def test_the_simulated_disk_does_lose_what_is_not_synced(tmp_path: Path) -> None:
    """The same cuts with synchronous=NORMAL lose announced facts: the simulation can tell."""
    losses = 0
    for seed in range(1000, 1030):
        losses += make_node(tmp_path, seed, synchronous=1).live_until_the_cut()
    assert losses > 0


def test_a_recorded_fact_is_on_disk_before_the_caller_hears_of_it(tmp_path: Path) -> None:
    node = make_node(tmp_path, 5000)
    node.disk.steps_left = 10**6
    opened = open_ledger(node.path, Now(), "COA007", "30039", vfs=node.vfs)
    assert isinstance(opened, SqliteLedger)
    for n in range(20):
        assert isinstance(opened.record(FactDraft(FactType.REPORT_FILED, {"n": n})), Recorded)
        wal = next(name for name in node.disk.loose if name.endswith("-wal"))
        assert node.disk.loose[wal] == []
    opened.close()
