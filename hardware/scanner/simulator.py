"""A code reader that is not there: a test holds codes before it, or lets it babble.

Controls may be called from any thread. While silent it reads and answers nothing.
"""

from __future__ import annotations

import random

from hardware.scanner.protocol import ALIVE, QUESTION
from hardware.transport.on_pty import OnPty
from hardware.transport.pty_end import PtyEnd


class ScannerSimulator(OnPty):
    """`ending` is what its set-up adds after each code; `framed` wraps codes in STX and ETX instead."""

    def __init__(self, *, ending: str = "\r\n", framed: bool = False, seed: int = 1) -> None:
        self.ending, self.framed = ending, framed
        self.scanned = 0
        self._silent = False
        self._random = random.Random(seed)  # noqa: S311 - babble, not a secret
        self._end = PtyEnd(self._receive)

    def scan(self, text: str, encoding: str = "utf-8") -> None:
        """Somebody holds a code before the window."""
        if self._silent:
            return
        raw = text.encode(encoding)
        self.scanned += 1
        self._end.send(b"\x02" + raw + b"\x03" if self.framed else raw + self.ending.encode())

    def begin(self, text: str) -> None:
        """A code of which only the beginning arrives."""
        if not self._silent:
            self._end.send(text.encode())

    def garbage(self, count: int = 400) -> None:
        """Bytes of a wrong speed or a broken cable, with line ends among them."""
        noise = bytes(self._random.choice(range(128, 160)) for _ in range(count))
        lines = [noise[at : at + 20] + b"\r" for at in range(0, count, 20)]
        if not self._silent:
            self._end.send(b"".join(lines))

    def silence(self) -> None:
        self._silent = True

    def speak(self) -> None:
        self._silent = False

    def state(self) -> dict[str, object]:
        return {
            "plugged": self.is_plugged,
            "silent": self._silent,
            "scanned": self.scanned,
        }

    def _receive(self, data: bytes) -> None:
        if not self._silent and QUESTION in data:
            self._end.send(bytes([ALIVE]))
