"""The node's programs, as they are started on a node, tell their supervisor that they are ready and live.

Stopped in the middle (SIGSTOP: a hang as seen from outside) they fall silent, and speak again when they
go on. What systemd does about silence is shown in the virtual node (`make test-vm`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LIMIT_S = 1.5
"""As WatchdogSec: three beats in it."""
WAIT_S = 90.0
PROGRAMS = {
    "kiosk": ("kiosk", "--offscreen"),
    "portal": ("captive_portal", "--listen", "127.0.0.1:0", "--gate", "memory"),
    "sync": ("plaza", "sync", "run"),
}


@contextmanager
def started(words: tuple[str, ...], data: Path, ear: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "NOTIFY_SOCKET": str(ear), "WATCHDOG_USEC": str(int(LIMIT_S * 1e6))}
    log = ear.with_suffix(".log").open("wb")
    argv = [sys.executable, "-P", "-m", *words, "--data", str(data)]
    with log, subprocess.Popen(argv, env=env, stdout=log, stderr=log) as program:
        try:
            yield program
        finally:
            program.send_signal(signal.SIGCONT)
            program.terminate()
            try:
                program.wait(30)
            except subprocess.TimeoutExpired:
                program.kill()


def heard(ear: socket.socket, within_s: float) -> str:
    """The next word, empty when none comes."""
    ear.settimeout(within_s)
    try:
        return ear.recv(4096).decode()
    except TimeoutError:
        return ""


def until(ear: socket.socket, wanted: str, program: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WAIT_S
    while heard(ear, 1.0) != wanted:
        assert program.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < end, f"never {wanted}: {log.read_text()[-2000:]}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_heard_while_it_lives_and_silent_while_it_hangs(
    name: str, node: Any, tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(path))
    with ear, started(PROGRAMS[name], node.data.path, path) as program:
        log = path.with_suffix(".log")
        until(ear, "READY=1", program, log)
        until(ear, "WATCHDOG=1", program, log)

        program.send_signal(signal.SIGSTOP)
        while heard(ear, 2 * LIMIT_S):
            pass  # what was under way when it stopped
        assert heard(ear, 2 * LIMIT_S) == ""

        program.send_signal(signal.SIGCONT)
        until(ear, "WATCHDOG=1", program, log)
