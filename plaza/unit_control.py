"""Starting programs again through systemd, by argv; and the same in memory for practice and tests."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Protocol

SYSTEMCTL = "/usr/bin/systemctl"
LIMIT_S = 120


class Units(Protocol):
    def restart(self, names: Sequence[str]) -> str:
        """Start those that run anew; why it could not be done, empty when it was. May take a minute."""

    def restarts(self, names: Sequence[str]) -> dict[str, int]:
        """How often each one that should run was started again after it died; -1: it does not run."""


class SystemdUnits:
    """`program` is another systemctl in tests."""

    def __init__(self, program: str = SYSTEMCTL) -> None:
        self._program = program

    def restart(self, names: Sequence[str]) -> str:
        return "" if not names else _run(self._program, "try-restart", *names)[1]

    def restarts(self, names: Sequence[str]) -> dict[str, int]:
        found = {}
        for name in names:
            shown, trouble = _run(self._program, "show", "-p", "ActiveState,NRestarts", name)
            words = dict(line.partition("=")[::2] for line in shown.splitlines())
            state, count = words.get("ActiveState", ""), words.get("NRestarts", "")
            if trouble or state == "inactive":
                continue
            found[name] = int(count) if state == "active" and count.isdigit() else -1
        return found


class MemoryUnits:
    """`broken` die again and again once they are started."""

    def __init__(self, running: Sequence[str], broken: Sequence[str] = ()) -> None:
        self.running = dict.fromkeys(running, 0)
        self.broken = set(broken)
        self.restarted: list[tuple[str, ...]] = []

    def restart(self, names: Sequence[str]) -> str:
        mine = tuple(name for name in names if name in self.running)
        self.restarted.append(mine)
        self.running |= dict.fromkeys(mine, 0)
        return ""

    def restarts(self, names: Sequence[str]) -> dict[str, int]:
        for name in self.broken & self.running.keys():
            self.running[name] += 1
        return {name: self.running[name] for name in names if name in self.running}


def _run(program: str, *words: str) -> tuple[str, str]:
    """(stdout, trouble)."""
    try:
        done = subprocess.run(
            [program, "--no-ask-password", *words],
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        return "", str(e)
    if done.returncode == 0:
        return done.stdout, ""
    return "", done.stderr.strip() or f"{words[0]} ended with {done.returncode}"
