"""One thread that owns a port which mostly listens: it opens it, reads it, loses it, opens it again.

Scanner, keypad and jack sensor are all alike in this; what the bytes mean is their listener's work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from hardware.transport.port import Port, PortProblem

REOPEN_S = 0.3
READ_S = 0.2
"""How long a read waits when nothing comes; bytes end it at once."""
SILENCE_S = 3.0

Opener = Callable[[], Port | PortProblem]


class Listener(Protocol):
    """Called on the watch's thread only. What it returns from `idle` is sent to the device."""

    def opened(self, port: Port) -> None: ...

    def heard(self, data: bytes, now: float) -> None: ...

    def idle(self, now: float) -> bytes: ...

    def lost(self) -> None: ...


class PortWatch:
    """`problem` is why there is no port now; None while it is open or was not tried yet."""

    def __init__(self, name: str, opener: Opener, listener: Listener) -> None:
        self._opener = opener
        self._listener = listener
        self._port: Port | None = None
        self._closing = threading.Event()
        self._beat = time.monotonic()
        self.problem: PortProblem | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self._port is not None

    @property
    def is_stalled(self) -> bool:
        """The thread itself was not heard for `SILENCE_S`: nothing else that it says counts."""
        return time.monotonic() - self._beat > SILENCE_S

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._beat = time.monotonic()
            if self._port is None:
                self._open()
            else:
                self._turn(self._port)
        if self._port is not None:
            self._port.close()
            self._port = None

    def _open(self) -> None:
        opened = self._opener()
        if isinstance(opened, PortProblem):
            self.problem = opened
            self._closing.wait(REOPEN_S)
            return
        self._listener.opened(opened)
        self.problem = None
        self._port = opened

    def _turn(self, port: Port) -> None:
        asked = self._listener.idle(time.monotonic())
        problem = port.write(asked) if asked else None
        heard = port.read(READ_S) if problem is None else problem
        if isinstance(heard, PortProblem):
            port.close()
            self._listener.lost()
            self.problem = heard
            self._port = None
        elif heard:
            self._listener.heard(heard, time.monotonic())
