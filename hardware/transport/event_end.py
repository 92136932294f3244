"""The far end of an input device, for simulators: events on a pseudo-terminal."""

from __future__ import annotations

import time
from pathlib import Path

from hardware.transport.event_port import WHO
from hardware.transport.event_stream import EV_SYN, SYN_REPORT, InputEvent, pack
from hardware.transport.pty_end import PtyEnd


class EventEnd:
    """It says what it is when asked, and sends events. `switch_on` is its headphone switch."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.switch_on = False
        self.silent = False
        self._end = PtyEnd(self._receive)

    @property
    def is_plugged(self) -> bool:
        return self._end.is_plugged

    def open(self) -> str:
        return self._end.open()

    def link(self, path: Path) -> None:
        self._end.link(path)

    def close(self) -> None:
        self._end.close()

    def unplug(self) -> None:
        self._end.unplug()

    def replug(self) -> None:
        self._end.replug()

    def send(self, *events: InputEvent) -> None:
        """The events and the report that ends them, as a kernel sends them."""
        now = time.time()
        whole = (*events, InputEvent(EV_SYN, SYN_REPORT, 0))
        self.send_raw(b"".join(pack(e, now) for e in whole))

    def send_raw(self, data: bytes) -> None:
        if not self.silent:
            self._end.send(data)

    def _receive(self, data: bytes) -> None:
        if WHO in data:
            self.send_raw(f"{self.device_id} {int(self.switch_on)}\n".encode())
