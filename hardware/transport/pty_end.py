"""The far end of a serial cable, on a pseudo-terminal: what every simulator speaks through.

It keeps a file descriptor on both sides so that a driver may come and go like on a real cable;
`unplug` closes both, which the driver sees as a device that vanished.
"""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

CHUNK = 4096


class PtyEnd:
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
        self._master = -1
        self._slave = -1
        self._link: Path | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pty-end", daemon=True)
        self.path = ""

    @property
    def is_plugged(self) -> bool:
        return self._master >= 0

    def open(self) -> str:
        """Plug the cable in; the path is what the driver opens."""
        self.replug()
        if not self._thread.is_alive():
            self._thread.start()
        return self.path

    def link(self, path: Path) -> None:
        """Keep a symlink at `path` that follows the cable, like /dev/serial/by-path does."""
        with self._lock:
            self._link = path
            self._point_link()

    def unplug(self) -> None:
        with self._lock:
            if self._master < 0:
                return
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1
            if self._link is not None:
                self._link.unlink(missing_ok=True)

    def replug(self) -> None:
        with self._lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self.path = os.ttyname(self._slave)
            self._point_link()

    def send(self, data: bytes) -> None:
        """To the driver; lost when unplugged or when nobody has read for a long time."""
        with self._lock:
            if self._master < 0:
                return
            try:
                os.write(self._master, data)
            except OSError:
                return

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        self.unplug()

    def _point_link(self) -> None:
        if self._link is None or not self.path or self._master < 0:
            return
        fresh = self._link.with_name(f".{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.path)
        fresh.replace(self._link)

    def _run(self) -> None:
        while not self._closing.is_set():
            data = self._take()
            if data:
                self._on_bytes(data)
            self._on_idle()

    def _take(self) -> bytes:
        with self._lock:
            master = self._master
        if master < 0 or not self._wants_bytes():
            self._closing.wait(self._idle_s)
            return b""
        try:
            ready, _, _ = select.select([master], [], [], self._idle_s)
            with self._lock:
                return os.read(master, CHUNK) if ready and master == self._master else b""
        except OSError:  # unplugged while waiting
            return b""
