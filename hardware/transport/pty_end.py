"""The far end of a serial cable, on a pseudo-terminal: what every simulator speaks through.

It keeps a file descriptor on both sides so that a driver may come and go like on a real cable;
`unplug` closes both, which the driver sees as a device that vanished.
"""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path

from hardware.transport.far_end import CHUNK, FarEnd


class PtyEnd(FarEnd):
    """A `FarEnd` on a pseudo-terminal; `link` keeps a name that follows it."""

    _master = -1
    _slave = -1
    _link: Path | None = None

    @property
    def is_plugged(self) -> bool:
        return self._master >= 0

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
        with self._lock:
            if self._master < 0:
                return
            try:
                os.write(self._master, data)
            except OSError:
                return

    def _point_link(self) -> None:
        if self._link is None or not self.path or self._master < 0:
            return
        fresh = self._link.with_name(f".{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.path)
        fresh.replace(self._link)

    def _take(self) -> bytes:
        with self._lock:
            master = self._master
        if master < 0 or not self._wants_bytes():
            return self._rest()
        try:
            ready, _, _ = select.select([master], [], [], self._idle_s)
            with self._lock:
                return os.read(master, CHUNK) if ready and master == self._master else b""
        except OSError:  # unplugged while waiting
            return b""
