"""Power cuts at random moments: what was announced is there, the chain is whole, no folio comes twice.

The disk is simulated below SQLite: a write is safe only after a sync; at the cut each write since then
is kept, lost or torn at a sector, by chance. The witness lies on the same disk and is hardly ever synced.
A run is decided by its seed. `PLAZA_POWER_CUTS` asks for more cuts than the usual ones.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from municipio.clock import Instant, TimeQuality
from municipio.devices import PrintVerdict
from municipio.facts import (
    RECOVERED,
    FactDraft,
    FactType,
    Lane,
    decode_fact,
    encode_fact,
    fact_hash,
)
from municipio.usecases.ports import FolioStub, NotRecorded, PrintJob, Recorded
from municipio.wire.ack import Ack
from sync.database import LedgerDamaged
from sync.ledger import SqliteLedger, open_ledger
from sync.outbox import Load, Outbox
from sync.recovery import OTHER_FUTURE
from sync.seals import Head, key_file, pack_head, read_heads, read_key
from sync.trust import HEADS_LOST
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
    lies: bool = False
    """It answers every sync and does nothing."""
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
        if self.lies:
            return
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
            for start, piece in self.survivors(data, certain=certain):
                if len(content) < offset + start:
                    content.extend(bytes(offset + start - len(content)))
                content[offset + start : offset + start + len(piece)] = piece
        return bytes(content)

    def survivors(self, data: bytes, *, certain: bool) -> Iterator[tuple[int, bytes]]:
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


def whole_facts(bodies: Iterable[bytes]) -> set[bytes]:
    """The facts, and with them the facts inside recovered ones, however deep."""
    found: set[bytes] = set()
    for raw in bodies:
        found.add(raw)
        fact = decode_fact(raw)
        if fact.type in RECOVERED.values():
            found |= whole_facts([fact.data["fact"].encode()])
    return found


@dataclass
class CutWitness:
    """The witness on the simulated disk; `heads_lost` of an honest disk must never be claimed."""

    disk: Disk
    key: bytes = b""
    page: bytearray = field(default_factory=lambda: bytearray(4096))
    safe: bytes = bytes(4096)
    loose: list[tuple[int, bytes]] = field(default_factory=list)

    def note(self, lane: int, head: Head) -> None:
        offset = (lane * 4 + head.seq % 4) * 64
        raw = pack_head(self.key, lane, head)
        self.page[offset : offset + len(raw)] = raw
        self.loose.append((offset, raw))

    def heads(self) -> Mapping[int, Head]:
        return read_heads(self.key, bytes(self.page))

    def sync(self) -> None:
        if not self.disk.lies:
            self.safe, self.loose = bytes(self.page), []

    def close(self) -> None:
        return

    def cut(self) -> None:
        page = bytearray(self.safe)
        for offset, raw in self.loose:
            for start, piece in self.disk.survivors(raw, certain=False):
                page[offset + start : offset + start + len(piece)] = piece
        self.page, self.safe, self.loose = page, bytes(page), []


@dataclass
class Node:
    """One ledger through many cuts, and what it announced."""

    path: Path
    chance: random.Random
    vfs: str
    device: CutVfs
    disk: Disk
    witness: CutWitness
    announced: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[tuple[Lane, int], int] = field(default_factory=dict)
    city: set[bytes] = field(default_factory=set)
    synchronous: int = 2

    def live_until_the_cut(self) -> int:
        """Open, work, lose power; how many announced facts are missing afterwards."""
        self.live()
        return self._missing()

    def live(self, *, check: bool = True) -> None:
        """Open, work, lose power. On a disk that lies, `check` off, a folio may come again."""
        self.disk.safe.clear()
        self.disk.loose.clear()
        self.disk.steps_left = self.chance.randrange(3, 120)
        opened = open_ledger(
            self.path, Now(), "COA007", "30039", vfs=self.vfs, witness=self.witness
        )
        if isinstance(opened, SqliteLedger):
            with opened.reading() as db:
                db.pragma("synchronous", self.synchronous)
                db.pragma("wal_autocheckpoint", 12)
            try:
                while self._deed(opened, check=check):
                    pass
            except (apsw.Error, AssertionError):
                assert self.disk.steps_left < 0 or not check
            self.disk.steps_left = -1
            try:
                opened.close()
            except apsw.Error:
                assert self.disk.steps_left < 0
        self.disk.cut()
        self.witness.cut()

    def _deed(self, ledger: SqliteLedger, *, check: bool) -> bool:
        """One thing that programs do; False when the power is gone."""
        outbox = Outbox(ledger)
        deed = self.chance.random()
        if deed < 0.68:
            done = ledger.record(
                FactDraft(self.chance.choice(TYPES), {"sealed": "x" * self.chance.randrange(3000)}),
                lambda n: [
                    FolioStub(n.folio, "reporte", "en_cola", ""),
                    PrintJob(n.fact_id, n.folio, "k", 0, "", b"ticket", PrintVerdict.PENDING),
                ],
            )
            if isinstance(done, NotRecorded):
                return False
            assert done.folio not in self.announced or not check
            self.announced[done.folio] = encode_fact(done.fact)
        elif deed < 0.88:
            self._acknowledge(outbox)
        elif deed < 0.95:
            outbox.prune(kept_facts=3)
        elif deed < 0.97:
            outbox.begin_epoch(outbox.epoch(), "test")
        else:
            self._move(outbox)
        return True

    def _move(self, outbox: Outbox) -> None:
        """The city says that it holds another future: what waits travels in a new epoch."""
        waiting = [s for s in outbox.stretches() if s.waiting]
        if waiting:
            chain = self.chance.choice(waiting)
            outbox.recover_unacked(chain.lane, chain.epoch, OTHER_FUTURE)

    def _acknowledge(self, outbox: Outbox) -> None:
        waiting = [s for s in outbox.stretches() if s.waiting]
        if waiting:
            s = self.chance.choice(waiting)
            through = self.chance.randint(s.acked + 1, s.last)
            load = outbox.load(s.lane, s.epoch, s.acked + 1, through - s.acked)
            assert isinstance(load, Load)
            self.city |= whole_facts(load.facts)
            outbox.apply_ack(Ack("COA007", s.epoch, s.lane, through, fact_hash(load.facts[-1])))
            self.acknowledged[s.lane, s.epoch] = through

    def _missing(self) -> int:
        """Open with the real disk, check every promise, and count what was announced and is not there."""
        ledger = open_ledger(self.path, Now(), "COA007", "30039", witness=self.witness)
        assert isinstance(ledger, SqliteLedger), ledger
        try:
            assert verify_ledger(ledger).problems == ()
            assert Outbox(ledger).epoch_reason()[0] != HEADS_LOST, (
                "the witness is behind, never ahead"
            )
            return self._count_missing(ledger)
        finally:
            ledger.close()

    def _count_missing(self, ledger: SqliteLedger) -> int:
        with ledger.reading() as db:
            bodies = [bytes(body) for (body,) in db.execute("SELECT body FROM fact").fetchall()]
            chains = db.execute("SELECT lane, epoch, acked FROM chain").fetchall()
        here = whole_facts(bodies) | self.city
        acked = {(list(Lane)[lane], epoch): through for lane, epoch, through in chains}
        for chain, through in self.acknowledged.items():
            assert acked.get(chain, 0) >= through, "an acknowledgement was forgotten"
        return sum(
            raw not in here or ledger.folio(folio) is None for folio, raw in self.announced.items()
        )


def make_node(folder: Path, seed: int, synchronous: int = 2, *, lies: bool = False) -> Node:
    chance = random.Random(seed)
    folder = folder / str(seed)
    folder.mkdir(exist_ok=True)
    path = folder / "ledger.sqlite"
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    ledger.close()
    disk = Disk(chance, lies=lies)
    name = f"cut-{seed}-{synchronous}-{lies}"
    witness = CutWitness(disk, read_key(key_file(path)) or b"")
    return Node(path, chance, name, CutVfs(disk, name), disk, witness, synchronous=synchronous)


@pytest.mark.parametrize("seed", range(CUTS // ROUNDS))
def test_a_power_cut_loses_nothing_that_was_announced(tmp_path: Path, seed: int) -> None:
    node = make_node(tmp_path, seed)
    for cut in range(ROUNDS):
        assert node.live_until_the_cut() == 0, f"seed {seed}, cut {cut}"
    assert len(node.announced) > ROUNDS // 2


def test_the_simulated_disk_does_lose_what_is_not_synced(tmp_path: Path) -> None:
    """The same cuts with synchronous=NORMAL lose announced facts: the simulation can tell."""
    losses = 0
    for seed in range(1000, 1030):
        node = make_node(tmp_path, seed, synchronous=1)
        try:
            losses += node.live_until_the_cut()
        except AssertionError:
            losses += 1  # even an acknowledgement was forgotten, or the witness told of it
    assert losses > 0


def test_a_disk_that_lies_about_its_syncs_is_found_out(tmp_path: Path) -> None:
    """At the next start: damage, or a head that the witness has and the ledger does not.

    A witness that was lost with the same writes says nothing, so one cut may pass; what is found out
    always begins a new epoch, so that no number comes twice, and over a few cuts no liar stays hidden.
    """
    found_out = hidden = 0
    for seed in range(7000, 7000 + max(40, CUTS // 40)):
        node = make_node(tmp_path, seed, lies=True)
        outcomes = [live_with_a_liar(node)]
        while outcomes[-1] != "found out" and len(outcomes) < 12:
            outcomes.append(live_with_a_liar(node))
        found_out += outcomes[-1] == "found out"
        hidden += "hidden" in outcomes and outcomes[-1] != "found out"
    assert found_out > 20
    assert found_out > 9 * hidden, f"{found_out} liars found out, {hidden} not"


def live_with_a_liar(node: Node) -> str:
    """One life and cut on a lying disk, and what the node says of it when it starts again."""
    node.live(check=False)
    ledger = open_ledger(node.path, Now(), "COA007", "30039", witness=node.witness)
    if isinstance(ledger, LedgerDamaged):
        return "found out"
    try:
        if Outbox(ledger).epoch_reason()[0] == HEADS_LOST:
            return "found out"
        with ledger.reading() as db:
            bodies = [bytes(body) for (body,) in db.execute("SELECT body FROM fact").fetchall()]
        here = whole_facts(bodies) | node.city
        return "nothing was lost" if here >= set(node.announced.values()) else "hidden"
    finally:
        ledger.close()


OLD = sorted((Path(__file__).parents[1] / "golden" / "ledgers").glob("schema-*.sql"))


@pytest.mark.parametrize("seed", range(max(10, CUTS // 100)))
def test_a_power_cut_in_a_migration_leaves_the_old_or_the_new(tmp_path: Path, seed: int) -> None:
    node = make_node(tmp_path, 9000 + seed)
    dump = OLD[seed % len(OLD)]
    for name in node.path.parent.glob("ledger.sqlite*"):
        name.unlink()
    key_file(node.path).unlink()
    db = sqlite3.connect(node.path)
    db.executescript(dump.read_text())
    bodies = db.execute("SELECT body FROM fact ORDER BY lane, seq").fetchall()
    db.close()
    for steps in range(1, 200):
        node.disk.safe.clear()
        node.disk.loose.clear()
        node.disk.steps_left = steps
        opened = open_ledger(
            node.path, Now(), "COA007", "30039", vfs=node.vfs, witness=CutWitness(node.disk)
        )
        whole = isinstance(opened, SqliteLedger) and node.disk.steps_left >= 0
        node.disk.steps_left = -1
        if isinstance(opened, SqliteLedger):
            try:
                opened.close()
            except apsw.Error:
                assert not whole or node.disk.steps_left < 0
        else:
            assert isinstance(opened, LedgerDamaged)
        node.disk.cut()
        if whole:
            break
    assert whole, "the migration never ends"
    ledger = open_ledger(node.path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger), ledger
    with ledger.reading() as connection:
        found = connection.execute("SELECT body FROM fact ORDER BY lane, seq").fetchall()
    assert [bytes(body) for (body,) in found] == [bytes(body) for (body,) in bodies]
    assert verify_ledger(ledger).problems == ()
    ledger.close()


def test_a_recorded_fact_is_on_disk_before_the_caller_hears_of_it(tmp_path: Path) -> None:
    node = make_node(tmp_path, 5000)
    node.disk.steps_left = 10**6
    opened = open_ledger(node.path, Now(), "COA007", "30039", vfs=node.vfs, witness=node.witness)
    assert isinstance(opened, SqliteLedger)
    for n in range(20):
        assert isinstance(opened.record(FactDraft(FactType.REPORT_FILED, {"n": n})), Recorded)
        wal = next(name for name in node.disk.loose if name.endswith("-wal"))
        assert node.disk.loose[wal] == []
    opened.close()


_PROGRAM = """
import sys
from pathlib import Path
from municipio.facts import FactDraft, FactType
from municipio.usecases.ports import FolioStub, Recorded
from sync.clock import SystemClock
from sync.ledger import open_ledger
ledger = open_ledger(Path(sys.argv[1]), SystemClock(), "COA007", "30039")
while True:
    done = ledger.record(
        FactDraft(FactType.REPORT_FILED, {}), lambda n: [FolioStub(n.folio, "reporte", "x", "")]
    )
    assert isinstance(done, Recorded), done
    print(done.folio, flush=True)
"""


_OPENER = """
import sys
from pathlib import Path
from sync.clock import SystemClock
from sync.ledger import SqliteLedger, open_ledger
ledger = open_ledger(Path(sys.argv[1]), SystemClock(), "COA007", "30039")
assert isinstance(ledger, SqliteLedger), ledger
ledger.close()
"""


@pytest.mark.parametrize("round_", range(5))
def test_programs_that_start_together_on_a_new_card_agree_on_one_key(
    tmp_path: Path, round_: int
) -> None:
    path = tmp_path / "ledger.sqlite"
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _OPENER, str(path)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ends = [(program.communicate(timeout=60)[1], program.returncode) for program in programs]
    assert ends == [("", 0)] * 4


def test_programs_killed_again_and_again_lose_nothing(tmp_path: Path) -> None:
    """Weaker than the cuts above, because the kernel still writes; but with real processes and files."""
    chance = random.Random(1)
    path = tmp_path / "ledger.sqlite"
    announced: list[str] = []
    for _ in range(max(4, CUTS // 500)):
        programs = [
            subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for program in programs:
            assert program.stdout is not None
            for _ in range(chance.randrange(5, 60)):
                announced.append(program.stdout.readline().strip())
            program.kill()
            announced += program.stdout.read().split("\n")[:-1]
            program.wait(timeout=30)
            program.stdout.close()
    ledger = open_ledger(path, Now(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    assert verify_ledger(ledger).problems == ()
    assert Outbox(ledger).epoch() == 1
    assert len(set(announced)) == len(announced)
    assert all(ledger.folio(folio) is not None for folio in announced)
    ledger.close()
