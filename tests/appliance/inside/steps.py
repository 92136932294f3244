"""What every job inside a virtual node needs: commands, patience, and a line for each of its steps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Step = Callable[[], dict[str, Any] | None]


def tell(**values: Any) -> None:
    """One result line for the host."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def tell_steps(steps: Sequence[Step]) -> None:
    """Say when the machine had started, then run every step, whatever becomes of the one before."""
    tell(booted_s=float(Path("/proc/uptime").read_text().split()[0]))
    for function in steps:
        step(function)


def step(function: Step) -> None:
    """Run one step; whatever happens becomes its line."""
    began = time.monotonic()
    line: dict[str, Any] = {"step": function.__name__}
    try:
        line |= {"ok": True, "seen": function() or {}}
    except BaseException as e:
        line |= {"ok": False, "error": f"{type(e).__name__}: {e}"[:2500]}
        line["where"] = traceback.format_exc(limit=-3)[-800:]
    tell(**line, seconds=round(time.monotonic() - began, 2))


def run(*argv: str, timeout: float = 400, check: bool = True) -> str:
    """The output of one program; with `check` off its error text too. RuntimeError holds both."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        said = (done.stdout + done.stderr)[-1500:]
        raise RuntimeError(f"{' '.join(argv)}: {done.returncode}: {said}")
    return done.stdout + ("" if check else done.stderr)


def eventually(check: Callable[[], Any], seconds: float = 240, why: str = "") -> Any:
    """The first true value of `check`; OSError, RuntimeError and ValueError are not yet. TimeoutError."""
    until = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < until:
        try:
            last = check()
        except (OSError, RuntimeError, ValueError) as e:
            last = f"{type(e).__name__}: {e}"
        else:
            if last:
                return last
        time.sleep(0.2)
    what = why or getattr(check, "__name__", "condition")
    raise TimeoutError(f"{what} not within {seconds:.0f} s; last: {last}")
