"""What the far ends of cables have in common: a thread that gives the driver's bytes to a simulator."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

CHUNK = 4096


class FarEnd(ABC):
    """Bytes from the driver go to `on_bytes`, on this end's own thread; `on_idle` about every 20 ms.

    `wants_bytes()` False stops reading: the driver then meets a device that holds flow control.
    """

    def __init__(
        self,
        on_bytes: Callable[[bytes], None],
        on_idle: Callable[[], None] = lambda: None,
        wants_bytes: Callable[[], bool] = lambda: True,
        idle_s: float = 0.02,
    ) -> None:
        self._on_bytes = on_bytes
        self._on_idle = on_idle
        self._wants_bytes = wants_bytes
        self._idle_s = idle_s
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="far-end", daemon=True)
        self.path = ""

    @property
    @abstractmethod
    def is_plugged(self) -> bool: ...

    @abstractmethod
    def unplug(self) -> None: ...

    @abstractmethod
    def replug(self) -> None: ...

    @abstractmethod
    def send(self, data: bytes) -> None:
        """To the driver; lost when unplugged or when nobody has read for a long time."""

    @abstractmethod
    def _take(self) -> bytes:
        """Wait at most `_idle_s` for bytes of the driver."""

    def open(self) -> str:
        """Plug the cable in; the path is what the driver opens."""
        self.replug()
        if not self._thread.is_alive():
            self._thread.start()
        return self.path

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        self.unplug()

    def _run(self) -> None:
        while not self._closing.is_set():
            data = self._take()
            if data:
                self._on_bytes(data)
            self._on_idle()

    def _rest(self) -> bytes:
        """Nothing to read now."""
        self._closing.wait(self._idle_s)
        return b""
