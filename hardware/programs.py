"""Other programs, run as an argument list with an end in time and in size: voice, sound, camera.

Never a shell; the program is one file of one folder, named by us. It gets no environment of ours
and dies with everything it started.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

POLL_S = 0.05
CHUNK = 65536
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


class ProgramCause(StrEnum):
    MISSING = "missing"
    """There is no such program, or it may not be run."""
    TIMEOUT = "timeout"
    TOO_MUCH = "too_much"
    """It wrote more than it may."""
    STOPPED = "stopped"
    """We ended it, because nobody wants its answer any more."""


@dataclass(frozen=True, slots=True)
class Finished:
    """It ended by itself. `code` is negative when a signal ended it."""

    code: int
    output: bytes


@dataclass(frozen=True, slots=True)
class ProgramProblem:
    cause: ProgramCause


def find_program(folder: str, name: str) -> str | None:
    """The program `name` of one folder; the search path of the machine is not asked."""
    path = Path(folder) / name
    return str(path) if path.is_absolute() and os.access(path, os.X_OK) else None


def run_program(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout_s: float,
    output_max: int,
    stop: threading.Event | None = None,
    own_session: bool = True,
) -> Finished | ProgramProblem:
    """Run to its end, to `timeout_s`, to `output_max` bytes of output, or until `stop` is set.

    Without `own_session` it belongs to ours and dies with us, when somebody ends our session.
    """
    try:
        program = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=own_session,
            cwd="/",
            env=ENVIRONMENT,
        )
    except (OSError, ValueError):
        return ProgramProblem(ProgramCause.MISSING)
    try:
        return _attend(program, stdin, time.monotonic() + timeout_s, output_max, stop)
    finally:
        _end(program, whole_session=own_session)


def _attend(
    program: subprocess.Popen[bytes],
    stdin: bytes,
    deadline: float,
    output_max: int,
    stop: threading.Event | None,
) -> Finished | ProgramProblem:
    assert program.stdin is not None, "a pipe was asked for"
    assert program.stdout is not None, "a pipe was asked for"
    left, output = memoryview(stdin), bytearray()
    with selectors.DefaultSelector() as watch:
        for pipe, event in (
            (program.stdin, selectors.EVENT_WRITE),
            (program.stdout, selectors.EVENT_READ),
        ):
            os.set_blocking(pipe.fileno(), False)
            watch.register(pipe, event)
        while watch.get_map():
            if stop is not None and stop.is_set():
                return ProgramProblem(ProgramCause.STOPPED)
            if time.monotonic() > deadline:
                return ProgramProblem(ProgramCause.TIMEOUT)
            for ready, _ in watch.select(POLL_S):
                if ready.fileobj is program.stdin:
                    left = _give(program, watch, left)
                else:
                    _take(program, watch, output)
            if len(output) > output_max:
                return ProgramProblem(ProgramCause.TOO_MUCH)
    return _wait(program, bytes(output), deadline, stop)


def _give(
    program: subprocess.Popen[bytes], watch: selectors.BaseSelector, left: memoryview
) -> memoryview:
    assert program.stdin is not None, "a pipe was asked for"
    try:
        left = left[os.write(program.stdin.fileno(), left[:CHUNK]) :] if left else left
    except BlockingIOError:
        return left
    except OSError:  # it reads no more
        left = left[:0]
    if not left:
        watch.unregister(program.stdin)
        with contextlib.suppress(OSError):
            program.stdin.close()
    return left


def _take(
    program: subprocess.Popen[bytes], watch: selectors.BaseSelector, output: bytearray
) -> None:
    assert program.stdout is not None, "a pipe was asked for"
    data = os.read(program.stdout.fileno(), CHUNK)
    output += data
    if not data:
        watch.unregister(program.stdout)


def _wait(
    program: subprocess.Popen[bytes],
    output: bytes,
    deadline: float,
    stop: threading.Event | None,
) -> Finished | ProgramProblem:
    """It closed its output; it may still be working (a player plays on)."""
    while True:
        try:
            return Finished(program.wait(timeout=POLL_S), output)
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                return ProgramProblem(ProgramCause.STOPPED)
            if time.monotonic() > deadline:
                return ProgramProblem(ProgramCause.TIMEOUT)


def _end(program: subprocess.Popen[bytes], *, whole_session: bool) -> None:
    """It, and everything that it started when that is a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if whole_session:
            os.killpg(program.pid, signal.SIGKILL)
    program.kill()
    program.wait()
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
