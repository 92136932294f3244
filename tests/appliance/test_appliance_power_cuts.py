"""The power goes while people pay: once by the plug, then at 240 moments of the same minute, by replay.

A portal-only node with 512 MB starts from a new card; people pay on it with the real cash machine and
ledger while its own programs run, and every completed disk request is logged. The machine is killed.
Then the log is played back to other moments, with the writes since the last flush kept, lost or torn.
Each disk is repaired as at boot, must be clean, and must hold all that was told before its moment.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rig.bench import Bench, fill_site, plaza, wait_agent, wait_running
from rig.card import data_range, write_card
from rig.city import City
from rig.guest import PYTHON, Guest
from rig.judge import Verdict, judge
from rig.machine import Machine
from rig.powercut import Cut, Fate, draw_cuts
from rig.replay import Replayer, copy_sparse
from rig.told import Listener, Promise, expected
from rig.writelog import FLUSH, WriteLog, read_log

CUTS = int(os.environ.get("PLAZA_DISK_CUTS", "240"))
PAY_S = float(os.environ.get("PLAZA_PAY_S", "45"))
OWNER, NODE_FOLDER = ("COA021", "30039"), "/plaza"
SEED = 6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]


@dataclass
class Cutting:
    """One life of a node up to the plug, and what is known of it from outside."""

    bench: Bench
    card: Path
    log_file: Path
    log: WriteLog
    heard: list[Promise]
    work: Path

    @property
    def first(self) -> int:
        """Requests that were completed when people began to pay."""
        return self.heard[0].by

    def replayer(self, log: WriteLog, span: tuple[int, int]) -> Replayer:
        return Replayer(log, self.log_file, self.work / "before.img", span, self.work)

    def judged(self, log: WriteLog, cuts: tuple[Cut, ...]) -> Iterator[tuple[Cut, Verdict]]:
        part = self.work / "cut.part"
        with closing(self.replayer(log, data_range(self.card))) as replayer:
            for cut in cuts:
                replayer.leave(cut, part)
                yield cut, judge(part, NODE_FOLDER, OWNER, expected(self.heard, cut.at), self.work)
        part.unlink()


def pay(guest: Guest, machine: Machine, listener: Listener, seconds: float) -> None:
    machine.ports["told"].on_data = listener
    words = ("--data", "/var/lib/plaza", "--tell", "/dev/ttyS2", "--tag", "vm")
    guest.ask(PYTHON, "-P", "/run/proof/payments.py", *words, log="/run/payments.log")
    until = time.monotonic() + 240
    while not listener.heard and time.monotonic() < until:
        time.sleep(0.5)
    assert listener.heard, guest.run("cat", "/run/payments.log")
    time.sleep(seconds)


@pytest.fixture(scope="module")
def cutting(bench: Bench, city: City) -> Iterator[Cutting]:
    work = bench.folder / "cuts"
    work.mkdir(exist_ok=True)
    card = bench.card("cuts", fill_site(city, 21, profile="portal"))
    write_card(card, work / "before.img", card.stat().st_size)
    log_file = work / "writes.log"
    spec = replace(
        bench.spec(card, log=log_file, radios=True), ports=("control", "told"), memory_mib=512
    )
    listener = Listener(lambda: machine.logged())
    with bench.start(spec, "cuts") as machine:
        guest = wait_agent(machine)
        wait_running(guest)
        memory = guest.run("free", "-m")
        pay(guest, machine, listener, PAY_S)
    with log_file.open("rb") as file:
        log = read_log(file, card.stat().st_size)
    assert isinstance(log, WriteLog), log
    bench.note(
        cut_log_requests=len(log.entries), cut_log_flushes=log.flushes, cut_promises=len(listener.heard),
        cut_log_written_mib=log.written_bytes >> 20, portal_memory=memory,
    )  # fmt: skip
    yield Cutting(bench, card, log_file, log, listener.heard, work)
    for used in (work / "before.img", log_file):
        used.unlink()


def test_the_plug_is_pulled_and_everything_told_is_there(cutting: Cutting) -> None:
    part = cutting.work / "plug.part"
    copy_sparse(cutting.card, part, *data_range(cutting.card))

    verdict = judge(
        part, NODE_FOLDER, OWNER, expected(cutting.heard, len(cutting.log.entries)), cutting.work
    )

    assert verdict.broken == ()
    assert verdict.promises > 100
    part.unlink()


def test_no_moment_of_the_same_minute_breaks_a_promise(cutting: Cutting) -> None:
    cuts = draw_cuts(cutting.log, CUTS, SEED, first=cutting.first)
    ends: Counter[str] = Counter()
    broken: list[tuple[Cut, tuple[str, ...]]] = []
    promises, began = 0, time.monotonic()
    for cut, verdict in cutting.judged(cutting.log, cuts):
        ends[f"{cut.fate.value}: {'broken' if verdict.broken else 'kept'}"] += 1
        promises += verdict.promises
        broken += [(cut, verdict.broken)] if verdict.broken else []
    seconds = time.monotonic() - began
    cutting.bench.note(
        cuts=dict(ends), cuts_promises_checked=promises, seconds_a_cut=round(seconds / len(cuts), 2)
    )

    assert broken == []
    assert promises > 100 * len(cuts)


def test_a_disk_that_ignores_flushes_is_found_out(cutting: Cutting) -> None:
    """The same log with its flushes forgotten must break promises: the judge can tell."""
    honest = cutting.log.entries[: cutting.first]
    lied = tuple(replace(e, flags=e.flags & ~FLUSH) for e in cutting.log.entries[cutting.first :])
    lying = WriteLog(cutting.log.sector_size, (*honest, *lied))
    moments = draw_cuts(lying, 12, SEED, first=(cutting.first + len(lying.entries)) // 2)
    cuts = tuple(replace(cut, fate=Fate.SOME_LOST) for cut in moments)

    found_out = [cut for cut, verdict in cutting.judged(lying, cuts) if verdict.broken]

    cutting.bench.note(lying_disk_found_out=f"{len(found_out)} of {len(cuts)}")
    assert len(found_out) > len(cuts) // 2


@pytest.mark.parametrize("share", [0.15, 0.6, 1.0], ids=["first-boot", "paying", "last"])
def test_a_cut_card_starts_again_by_itself(cutting: Cutting, share: float) -> None:
    """The whole card as a cut left it, in a machine: at the first start, while paying, at the end."""
    at = int(cutting.first * share) if share < 0.5 else int(len(cutting.log.entries) * share)
    card = cutting.work / "again.img"
    with closing(cutting.replayer(cutting.log, (0, cutting.card.stat().st_size))) as replayer:
        replayer.leave(Cut(at, Fate.TORN, SEED), card)
    with cutting.bench.start(cutting.bench.spec(card, radios=True), f"again-{share}") as machine:
        guest = wait_agent(machine)

        assert wait_running(guest) == "running", guest.run("systemctl", "--failed")
        assert plaza(guest, "sync", "verify").startswith("ok:")
    card.unlink()
