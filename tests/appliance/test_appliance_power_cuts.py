"""The power goes while people pay: once by the plug, then at 240 moments of the same minute, by replay.

A portal-only node with 512 MB starts from a new card; people pay on it with the real cash machine and
ledger while its own programs run, and every completed disk request is logged. The machine is killed.
Then the log is played back to other moments, with the writes since the last flush kept, lost or torn.
Each disk is repaired as at boot, must be clean, and must hold all that was told before its moment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rig.bench import Bench, failed, fill_site, look, plaza, wait_agent, wait_running
from rig.card import data_range, write_card
from rig.city import City
from rig.cutting import Cutting, cut_often, cut_on_a_liar
from rig.guest import PYTHON, Guest
from rig.machine import Machine
from rig.powercut import Cut, Fate
from rig.replay import copy_sparse
from rig.told import Listener, Promise
from rig.writelog import WriteLog, read_log

CUTS = int(os.environ.get("PLAZA_DISK_CUTS", "240"))
PAY_S = float(os.environ.get("PLAZA_PAY_S", "45"))
OWNER, NODE_FOLDER = ("COA021", "30039"), "/plaza"
SEED = 6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif("PLAZA_APPLIANCE" not in os.environ, reason="NOT RUN: make test-appliance"),
]


def pay(guest: Guest, machine: Machine, listener: Listener, seconds: float) -> None:
    machine.ports["told"].on_data = listener
    words = ("--data", "/var/lib/plaza", "--tell", "/dev/ttyS2", "--tag", "vm")
    guest.ask(PYTHON, "-P", "/run/proof/payments.py", *words, log="/run/payments.log")
    until = time.monotonic() + 240
    while not listener.heard and time.monotonic() < until:
        time.sleep(0.5)
    assert listener.heard, guest.run("cat", "/run/payments.log")
    time.sleep(seconds)


def wear(log: WriteLog, heard: Sequence[Promise]) -> dict[str, object]:
    """What a payment with the report after it writes to the card, all that runs beside it counted in."""
    since = [entry for entry in log.entries[heard[0].by :] if entry.is_write]
    people = {key for promise in heard for key, _ in promise.line.get("payments", ())}
    kib = sum(entry.length for entry in since) / 1024
    return {
        "payments": len(people),
        "written_kib_a_payment_and_report": round(kib / len(people), 1),
        "writes_a_payment_and_report": round(len(since) / len(people), 1),
    }


def rest(guest: Guest) -> dict[str, Any]:
    """What a node of 512 MB does by itself five minutes after its start: its memory before and after."""
    before = look(guest, "memory.py")
    guest.run("systemctl", "start", "plaza-rest.service", timeout_s=120)
    return {"before": before, "after": look(guest, "memory.py")}


@pytest.fixture(scope="module")
def card(bench: Bench, far_city: City) -> Path:
    return bench.card("cuts", fill_site(far_city, 21, profile="portal"))


@pytest.fixture(scope="module")
def cutting(bench: Bench, card: Path) -> Iterator[Cutting]:
    work = bench.folder / "cuts"
    work.mkdir(exist_ok=True)
    write_card(card, work / "before.img", card.stat().st_size)
    log_file = work / "writes.log"
    spec = replace(
        bench.spec(card, log=log_file, radios=True), ports=("control", "told"), memory_mib=512
    )
    listener = Listener(lambda: machine.logged())
    with bench.start(spec, "cuts") as machine:
        guest = wait_agent(machine)
        wait_running(guest)
        bench.note(memory_packed=rest(guest))
        pay(guest, machine, listener, PAY_S)
    with log_file.open("rb") as file:
        log = read_log(file, card.stat().st_size)
    assert isinstance(log, WriteLog), log
    bench.note(
        cut_log_requests=len(log.entries), cut_log_flushes=log.flushes, cut_promises=len(listener.heard),
        cut_log_written_mib=log.written_bytes >> 20, **wear(log, listener.heard),
    )  # fmt: skip
    yield Cutting(
        work / "before.img", log_file, log, tuple(listener.heard), data_range(card), NODE_FOLDER,
        OWNER, work,
    )  # fmt: skip
    for used in (work / "before.img", log_file):
        used.unlink()


def test_the_start_of_a_small_board_is_packed_before_people_pay(
    bench: Bench, cutting: Cutting
) -> None:
    """Swap in RAM, on boards of 512 MB; more is had of it than the packed pages take."""
    found = bench.figures["memory_packed"]
    assert isinstance(found, dict)

    assert found["before"]["packed"] < found["after"]["packed"]
    assert found["after"]["packed"] > 24
    assert found["after"]["used"] < found["before"]["used"] - 12


def test_the_plug_is_pulled_and_everything_told_is_there(cutting: Cutting, card: Path) -> None:
    part = cutting.work / "plug.part"
    copy_sparse(card, part, *cutting.data)

    verdict = cutting.verdict(part, len(cutting.log.entries))

    assert verdict.broken == ()
    assert verdict.promises > 100
    part.unlink()


def test_no_moment_of_the_same_minute_breaks_a_promise(bench: Bench, cutting: Cutting) -> None:
    ends = cut_often(cutting, CUTS, SEED)
    bench.note(power_cuts=ends.figures())

    assert ends.broken == []
    assert ends.cuts == CUTS
    assert ends.promises > 100 * CUTS


def test_a_disk_that_ignores_flushes_is_found_out(bench: Bench, cutting: Cutting) -> None:
    """The same log with its flushes forgotten must break promises: the judge can tell."""
    found_out, cuts = cut_on_a_liar(cutting, 12, SEED)
    bench.note(lying_disk_found_out=f"{found_out} of {cuts}")

    assert found_out > cuts // 2


@pytest.mark.parametrize("share", [0.15, 0.6, 1.0], ids=["first-boot", "paying", "last"])
def test_a_cut_card_starts_again_by_itself(bench: Bench, cutting: Cutting, share: float) -> None:
    """The whole card as a cut left it, in a machine: at the first start, while paying, at the end."""
    at = int(cutting.first * share) if share < 0.5 else int(len(cutting.log.entries) * share)
    card = cutting.work / "again.img"
    whole = (0, cutting.before.stat().st_size)
    with closing(cutting.replayer(cutting.log, whole)) as replayer:
        replayer.leave(Cut(at, Fate.TORN, SEED), card)
    with bench.start(bench.spec(card, radios=True), f"again-{share}") as machine:
        guest = wait_agent(machine)

        assert wait_running(guest) == "running", failed(guest)
        assert plaza(guest, "sync", "verify").startswith("ok:")
    card.unlink()
