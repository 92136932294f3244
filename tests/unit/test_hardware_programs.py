"""Programs run as argument lists: they end in time and in size, with all that they started."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from hardware.programs import Finished, ProgramCause, ProgramProblem, find_program, run_program


def python(code: str) -> list[str]:
    return [sys.executable, "-ISc", code]


def test_a_program_gets_its_input_and_gives_its_output() -> None:
    big = b"x" * 300_000
    told = run_program(
        python("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"),
        stdin=big, timeout_s=20, output_max=400_000,
    )  # fmt: skip

    assert told == Finished(0, big)


def test_a_program_that_reads_nothing_is_no_trouble() -> None:
    told = run_program(python("pass"), stdin=b"x" * 900_000, timeout_s=20, output_max=10)

    assert told == Finished(0, b"")


def test_our_environment_is_not_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZA_SECRET", "1")
    told = run_program(
        python("import os; print(sorted(os.environ))"), timeout_s=20, output_max=1000
    )

    assert isinstance(told, Finished)
    assert b"PLAZA" not in told.output


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import time; time.sleep(60)", ProgramCause.TIMEOUT),
        ("import os,time; os.close(1); time.sleep(60)", ProgramCause.TIMEOUT),
        ("while True: print('x' * 1000)", ProgramCause.TOO_MUCH),
    ],
)
def test_a_program_without_end_is_ended(code: str, cause: ProgramCause) -> None:
    assert run_program(python(code), timeout_s=1, output_max=9999) == ProgramProblem(cause)


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, pathlib\n"
        f"p = subprocess.Popen([sys.executable, '-ISc', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(p.pid)); p.wait()"
    )
    run_program(python(code), timeout_s=1.5, output_max=10)
    child = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 5
    while time.monotonic() < end:
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    os.kill(child, 9)
    raise AssertionError("it lived on")


def test_a_stop_ends_it_at_once() -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()
    told = run_program(
        python("import time; time.sleep(60)"), timeout_s=30, output_max=10, stop=stop
    )

    assert told == ProgramProblem(ProgramCause.STOPPED)
    assert time.monotonic() - begun < 5


def test_a_program_that_is_not_there_is_a_problem() -> None:
    assert run_program(["/nothing/x"], timeout_s=1, output_max=1) == ProgramProblem(
        ProgramCause.MISSING
    )
    assert find_program("/usr/bin", "no-such-program") is None
    assert find_program("bin", "env") is None
    assert find_program("/usr/bin", "env") == "/usr/bin/env"
