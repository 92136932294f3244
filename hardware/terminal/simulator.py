"""A card terminal that is not there, at the far end of a pty; a test plays the person and the bank."""

from __future__ import annotations

import time
from pathlib import Path

from hardware.terminal.far_terminal import JOURNAL_MAX, FarTerminal
from hardware.transport.on_pty import OnPty
from hardware.transport.pty_end import PtyEnd

__all__ = ["JOURNAL_MAX", "TerminalSimulator"]


class TerminalSimulator(OnPty, FarTerminal):
    """`FarTerminal` on a real port and in real time. With `journal` its memory is that file."""

    def __init__(
        self, *, think_s: float = 0.8, expire_s: float = 120.0, journal: Path | None = None
    ) -> None:
        self._end = PtyEnd(self.receive, self.pass_time, idle_s=0.02)
        super().__init__(
            self._end.send, time.monotonic, think_s=think_s, expire_s=expire_s, journal=journal
        )

    def replug(self) -> None:
        self.new_cable()
        super().replug()

    def state(self) -> dict[str, object]:
        return {**super().state(), "plugged": self.is_plugged}
