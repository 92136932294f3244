"""The portal's side of the gate socket: one connection for many calls, and none of them lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from captive_portal.gate.client import GateClient
from captive_portal.gate.daemon import GateDaemon
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.visits import GateTrouble, Visit
from captive_portal.pseudonym import DayKey
from captive_portal.simulator import SimulatedClock

Start = Callable[[], GateDaemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    clock = SimulatedClock()
    gate = MemoryGate(clock.ms, DayKey(clock.ms))
    running: list[GateDaemon] = []

    def run() -> GateDaemon:
        daemon = GateDaemon(gate, tmp_path / "gate.sock", {os.getuid()})
        threading.Thread(target=daemon.serve, daemon=True).start()
        running.append(daemon)
        return daemon

    yield run
    for daemon in running:
        daemon.stop()


def test_a_gate_that_was_restarted_is_spoken_to_again(tmp_path: Path, start: Start) -> None:
    first = start()
    client = GateClient(tmp_path / "gate.sock", 10)
    assert isinstance(client.grant("10.0.0.5", 600), Visit)
    first.stop()
    assert isinstance(GateClient(tmp_path / "gate.sock", 10).look("10.0.0.5"), GateTrouble)

    start()

    visit = client.look("10.0.0.5")
    assert isinstance(visit, Visit)
    assert visit.is_open
    client.close()
    assert isinstance(client.look("10.0.0.5"), Visit)


def test_many_threads_share_a_few_connections_and_get_their_own_answers(
    tmp_path: Path, start: Start
) -> None:
    start()
    client = GateClient(tmp_path / "gate.sock", 20)
    wrong: list[object] = []

    def ask(n: int) -> None:
        for _ in range(40):
            visit = client.look(f"10.0.1.{n}")
            if not isinstance(visit, Visit) or visit.ip != f"10.0.1.{n}":
                wrong.append(visit)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_without_a_gate_every_verb_says_so(tmp_path: Path) -> None:
    client = GateClient(tmp_path / "nobody.sock")

    answers = (client.look("10.0.0.5"), client.visits(), client.ended(), client.stats())

    assert all(isinstance(answer, GateTrouble) for answer in answers)
