"""The far end of one of the guest's serial ports: a thread keeps what comes, others wait for it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rig.qmp import connect_unix

MAX_KEPT = 64 << 20


class Port:
    """Everything that the guest wrote, in order; `on_data` hears of each piece as it arrives."""

    def __init__(self, path: Path, on_data: Callable[[bytes], object] | None = None) -> None:
        self._peer = connect_unix(path, 30.0)
        self._kept = bytearray()
        self._more = threading.Condition()
        self.on_data = on_data
        self._thread = threading.Thread(target=self._listen, name=f"port {path.name}", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                data = self._peer.recv(65536)
            except OSError:
                data = b""
            if not data:
                return
            if self.on_data:
                self.on_data(data)
            with self._more:
                self._kept += data[: MAX_KEPT - len(self._kept)]
                self._more.notify_all()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._peer.shutdown(2)
        self._thread.join(10)
        self._peer.close()

    def write(self, data: bytes) -> None:
        self._peer.sendall(data)

    @property
    def received(self) -> bytes:
        with self._more:
            return bytes(self._kept)

    def wait(self, wanted: bytes, within_s: float, start: int = 0) -> int:
        """The position after `wanted`, looked for from `start` on. TimeoutError."""
        until = time.monotonic() + within_s
        with self._more:
            while (found := self._kept.find(wanted, start)) < 0:
                left = until - time.monotonic()
                if left <= 0:
                    tail = bytes(self._kept[-300:])
                    raise TimeoutError(f"{wanted!r} did not come; the last bytes: {tail!r}")
                self._more.wait(min(left, 1.0))
            return found + len(wanted)
