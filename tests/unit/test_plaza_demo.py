"""The parts of the demonstration that are not a citizen's: cable, programs, plan, visitor."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

from plaza.cli import main
from plaza.demo.cable import Cable
from plaza.demo.plan import Plan, Ports
from plaza.demo.processes import Program, ProgramFailed, run_once
from plaza.demo.stage import MARKER, Stage, StageFailed, free_of_old_runs
from plaza.demo.visitor import Visitor


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(1024):
            self.request.sendall(data)


@pytest.fixture
def echo_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
        link.sendall(b"hola")
        return link.recv(16)


def test_a_whole_cable_carries_bytes_both_ways(echo_port: int) -> None:
    cable = Cable(Ports.free().cable, echo_port)
    cable.mend()
    try:
        assert _ask(cable._listen) == b"hola"
    finally:
        cable.cut()


def test_a_cut_cable_kills_open_connections_and_refuses_new_ones(echo_port: int) -> None:
    cable = Cable(Ports.free().cable, echo_port)
    cable.mend()
    with socket.create_connection(("127.0.0.1", cable._listen), timeout=2) as link:
        link.sendall(b"hola")
        link.recv(16)

        cable.cut()

        assert link.recv(16) == b""
        with pytest.raises(OSError, match="refused"):
            _ask(cable._listen)


def test_a_mended_cable_works_again(echo_port: int) -> None:
    cable = Cable(Ports.free().cable, echo_port)
    for _ in range(3):
        cable.mend()
        assert _ask(cable._listen) == b"hola"
        cable.cut()


def test_a_killed_program_can_be_started_again(tmp_path: Path) -> None:
    program = Program(
        "sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log"
    )
    program.start()
    first = program.pid
    program.kill()

    assert not program.running
    program.start()
    assert program.running
    assert program.pid != first
    program.stop()


def test_a_failing_program_says_why() -> None:
    with pytest.raises(ProgramFailed, match="no hay luz"):
        run_once([sys.executable, "-c", "import sys; sys.exit('no hay luz')"])


def test_a_folder_that_is_not_a_demonstration_is_never_emptied(tmp_path: Path) -> None:
    keep = tmp_path / "tesis.txt"
    keep.write_text("años de trabajo")
    stage = Stage(Plan(tmp_path, Ports.free()), window=False)

    with pytest.raises(StageFailed, match="was not made by a demonstration"):
        stage.prepare()

    assert keep.read_text() == "años de trabajo"
    assert not (tmp_path / MARKER).exists()


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        ports = Ports.free()
        plan = Plan(tmp_path, Ports(ports.bench, busy.getsockname()[1], ports.central, ports.cable))

        with pytest.raises(StageFailed, match=r"\(portal\) is taken"):
            free_of_old_runs(plan)


class _OneForm(socketserver.StreamRequestHandler):
    received: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        request = self.rfile.readline()
        length = 0
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if request.startswith(b"POST"):
            type(self).received.append(self.rfile.read(length))
        body = (
            b"<form action='/accept' method='post'><input type=hidden name=nonce value='a&amp;b'>"
            b"<select name=colonia><option value=''>-</option><option value='Iquisa'>Iquisa</option>"
            b"</select><button>Conectarse</button></form>"
        )
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )


def test_a_visitor_sends_the_hidden_fields_of_the_form_it_was_shown() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _OneForm) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        visitor = Visitor(f"http://127.0.0.1:{server.server_address[1]}")
        page = visitor.get("/")
        visitor.send(page, "accept")
        visitor.close()
        server.shutdown()

    assert page.forms[0].choices == {"colonia": ["Iquisa"]}
    assert _OneForm.received == [b"nonce=a%26b"]


def test_the_plaza_command_lists_its_verbs_and_refuses_an_unknown_one() -> None:
    runner = CliRunner()

    assert "demo" in runner.invoke(main, ["--help"]).output
    assert runner.invoke(main, ["bailar"]).exit_code == 2


def test_waiting_for_a_silent_kiosk_ends_in_time(tmp_path: Path) -> None:
    stage = Stage(Plan(tmp_path, Ports.free()), window=False)
    started = time.monotonic()

    with pytest.raises(StageFailed, match="kiosk"):
        stage.wait_kiosk(timeout_s=0.3)

    assert time.monotonic() - started < 5
