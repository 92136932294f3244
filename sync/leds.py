"""Lights of the board (`/sys/class/leds`) for nodes without a screen: working, done, refused.

A light keeps what it did before and gets it back. It is blinked from here, because the files that set
the kernel's own blinking belong to root. Where there are none, or they may not be written, nothing happens.
"""

from __future__ import annotations

import contextlib
import os
import threading
from enum import Enum
from pathlib import Path

LEDS = Path("/sys/class/leds")
SIMULATED = "PLAZA_LEDS"
"""Environment: another folder with the same files, for a machine without such a board."""
NAMES = ("plaza", "ACT", "led0", "act")
"""The node's own light if the board has one, else the card's activity light of a Raspberry Pi."""


class Pattern(Enum):
    """What a light repeats: (seconds on, seconds off) of each flash. DONE stays on."""

    WORKING = ((0.12, 0.12),)
    DONE = ((1.0, 0.0),)
    FULL = ((0.15, 0.2), (0.15, 1.0))
    """Two short flashes and a pause: what fitted goes, the rest waits."""
    REFUSED = ((0.9, 0.3),)


class Light:
    """One light. `restore` gives it back."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` instead of the board's own lights."""
        folder = folder or Path(os.environ.get(SIMULATED) or LEDS)
        found = (folder / name for name in NAMES if (folder / name / "trigger").exists())
        self._led = next(found, None)
        self._before = ""
        self._stop = threading.Event()
        self._pattern = Pattern.WORKING
        self._blinker: threading.Thread | None = None
        if self._led is not None:
            with contextlib.suppress(OSError):
                text = (self._led / "trigger").read_text(encoding="ascii")
                self._before = text.partition("[")[2].partition("]")[0]

    @property
    def is_there(self) -> bool:
        return self._led is not None

    def show(self, pattern: Pattern) -> None:
        self._pattern = pattern
        if self._led is not None and self._blinker is None:
            self._write("trigger", "none")
            self._blinker = threading.Thread(target=self._blink, daemon=True)
            self._blinker.start()

    def restore(self) -> None:
        self._stop.set()
        if self._blinker is not None:
            self._blinker.join()
        if self._before:
            self._write("trigger", self._before)

    def _blink(self) -> None:
        while not self._stop.is_set():
            for on_s, off_s in self._pattern.value:
                self._write("brightness", "1")
                if self._stop.wait(on_s):
                    return
                if off_s:
                    self._write("brightness", "0")
                    self._stop.wait(off_s)

    def _write(self, name: str, text: str) -> None:
        if self._led is not None:
            with contextlib.suppress(OSError):
                (self._led / name).write_text(text, encoding="ascii")
