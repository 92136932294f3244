"""Start, watch, kill and restart the programs of a demonstration, each with its own log file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


class ProgramFailed(RuntimeError):
    """A one-shot program that the demonstration needs did not succeed; carries what it said."""


def python_m(module: str, *args: str) -> list[str]:
    """argv of one of our programs. `-P` keeps the working folder out of the import path."""
    return [sys.executable, "-P", "-m", module, *args]


def run_once(argv: Sequence[str], *, timeout_s: float = 600) -> str:
    """Run a program to its end and return its stdout. Raises ProgramFailed with its stderr."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise ProgramFailed(f"{' '.join(argv[3:5])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Program:
    """One long-running program. `kill()` is kill -9: what a power cut or a crash does to it.

    `env` is added to this process's own at every start.
    """

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._argv = list(argv)
        self._log = log
        self.env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self._lock:
            if self.running:
                return
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.env},
                    start_new_session=True,
                )

    def kill(self) -> None:
        self._end(signal.SIGKILL, 5)

    def stop(self, timeout_s: float = 5) -> None:
        """Ask politely; after the time-out, kill."""
        self._end(signal.SIGTERM, timeout_s)

    def restart(self) -> None:
        self.stop()
        self.start()

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log, for a message that explains a failure."""
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _end(self, number: int, timeout_s: float) -> None:
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
