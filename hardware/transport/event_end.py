"""The far end of an input device, for simulators: events on a pseudo-terminal."""

from __future__ import annotations

import time

from hardware.transport.event_port import WHO
from hardware.transport.event_stream import EV_SYN, SYN_REPORT, InputEvent, pack
from hardware.transport.on_pty import OnPty
from hardware.transport.pty_end import PtyEnd


class EventEnd(OnPty):
    """It says what it is when asked, and sends events. `switch_on` is its headphone switch."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.switch_on = False
        self.silent = False
        self._end = PtyEnd(self._receive)

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
