"""systemd hears that a program is ready and lives, and hears nothing from one that hangs."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from captive_portal.gate.daemon import GateDaemon
from captive_portal.gate.memory import MemoryGate
from captive_portal.gate.wiring import answers, boot_ms
from captive_portal.pseudonym import DayKey
from captive_portal.server import make_server, proof_of_life, stop_server
from sync.notify import Pulse, Supervisor, supervisor

WAIT_S = 20.0


class Ear:
    """The supervisor's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def hears(self, within_s: float = WAIT_S) -> str:
        """The next word, empty when none comes."""
        self._socket.settimeout(within_s)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    made = Ear(tmp_path / "notify")
    yield made
    made.close()


def test_the_supervisors_words_are_taken_out_of_the_environment_so_children_do_not_speak(
    ear: Ear,
) -> None:
    environ = {"NOTIFY_SOCKET": str(ear.path), "WATCHDOG_USEC": "30000000", "PATH": "/bin"}
    heard = supervisor(environ)

    assert environ == {"PATH": "/bin"}
    assert (heard.limit_s, heard.beat_s) == (30.0, 10.0)
    heard.ready()
    heard.alive()
    heard.stopping()
    assert [ear.hears() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
    ],
)
def test_without_a_watchdog_of_its_own_a_program_beats_for_nobody(environ: dict[str, str]) -> None:
    heard = supervisor(environ, pid=4711)

    assert heard.beat_s == 0
    heard.ready()
    heard.alive()


def test_an_abstract_socket_is_heard_too() -> None:
    name = f"plaza-test-{os.getpid()}"
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(f"\0{name}")
    ear.settimeout(WAIT_S)

    Supervisor(f"@{name}", 3.0).alive()

    assert ear.recv(100) == b"WATCHDOG=1"
    ear.close()


def test_a_pulse_is_ready_at_the_first_proof_and_silent_while_there_is_none(ear: Ear) -> None:
    lives = threading.Event()
    pulse = Pulse(Supervisor(str(ear.path), 0.15), lives.is_set, first_s=0.01)
    pulse.start()

    assert ear.hears(0.3) == ""
    lives.set()
    assert ear.hears() == "READY=1"
    assert ear.hears() == "WATCHDOG=1"
    lives.clear()
    while ear.hears(1.0):
        pass
    lives.set()
    assert ear.hears() == "WATCHDOG=1"
    pulse.stop()


def test_a_proof_that_raises_is_no_proof(ear: Ear) -> None:
    def broken() -> bool:
        raise OSError("no")

    pulse = Pulse(Supervisor(str(ear.path), 0.1), broken, first_s=0.01)
    pulse.start()

    assert ear.hears(0.3) == ""
    pulse.stop()
    assert ear.hears() == "STOPPING=1"


def test_a_portal_whose_workers_are_all_stuck_gives_no_proof_of_life() -> None:
    stuck, go = threading.Semaphore(0), threading.Event()
    app = Flask("stuck")

    @app.get("/")
    def wait() -> str:
        stuck.release()
        go.wait(WAIT_S)
        return "late"

    server = make_server(app, "127.0.0.1:0", threads=2)
    loop = threading.Thread(target=server.run, daemon=True)
    loop.start()
    assert proof_of_life(server, WAIT_S)

    callers = [socket.create_connection(("127.0.0.1", server.effective_port)) for _ in range(2)]
    for caller in callers:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in callers:
        assert stuck.acquire(timeout=WAIT_S)
    assert not proof_of_life(server, 0.3)

    go.set()
    assert proof_of_life(server, WAIT_S)
    for caller in callers:
        caller.close()
    stop_server(server)
    loop.join(WAIT_S)


class StuckGate(MemoryGate):
    """Holds every caller's question while `holds` is set."""

    holds = threading.Event()

    def stats(self):  # type: ignore[no-untyped-def]  # the same as its base
        while self.holds.wait(0) and not threading.Event().wait(0.05):
            pass
        return super().stats()


def test_a_gate_that_does_not_answer_its_own_door_gives_no_proof_of_life(tmp_path: Path) -> None:
    gate = StuckGate(boot_ms, DayKey(boot_ms), 10)
    path = tmp_path / "gate.sock"
    daemon = GateDaemon(gate, path, {os.getuid()})
    threading.Thread(target=daemon.serve, daemon=True).start()
    assert answers(path)

    gate.holds.set()
    assert not answers(path)
    gate.holds.clear()
    daemon.stop()
    assert not answers(path)
