"""The code reader at a serial port: scanned texts go to a callback, on the reader's own thread.

A reader that poses as a keyboard would type into whatever listens; such a port is never opened.
A reader says nothing between codes: without a greeting (`hello`) "ready" means an open port.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from hardware.scanner.protocol import QUESTION, Alive, Scan, ScanReader
from hardware.transport.port import Port, PortCause, PortProblem
from hardware.transport.port_watch import SILENCE_S, PortWatch
from hardware.transport.serial_port import open_port
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

HEARTBEAT_S = 0.8
NOT_SERIAL = ("/dev/input/", "/dev/hidraw", "/dev/usb/")
Found = Callable[[str], None]


class ScannerCause(StrEnum):
    NO_ANSWER = "no_answer"
    PORT_BUSY = "port_busy"
    DENIED = "denied"
    GARBAGE = "garbage"
    """Only unreadable bytes lately."""
    KEYBOARD_MODE = "keyboard_mode"
    """The reader is set to type like a keyboard; it is refused."""


_STATUS_OF = {
    PortCause.MISSING: DeviceStatus(DeviceState.ABSENT, ScannerCause.NO_ANSWER),
    PortCause.GONE: DeviceStatus(DeviceState.ABSENT, ScannerCause.NO_ANSWER),
    PortCause.BUSY: DeviceStatus(DeviceState.UNKNOWN, ScannerCause.PORT_BUSY),
    PortCause.DENIED: DeviceStatus(DeviceState.UNKNOWN, ScannerCause.DENIED),
    PortCause.BLOCKED: DeviceStatus(DeviceState.UNKNOWN, ScannerCause.NO_ANSWER),
}


def types_like_a_keyboard(path: str) -> bool:
    """True for the node of an input or HID device, whatever name it was reached by."""
    return str(Path(path).resolve()).startswith(NOT_SERIAL) or path.startswith(NOT_SERIAL)


class SerialScanner:
    """The reader at `port` (a path). `found` gets each text once; keep nothing of it longer than needed."""

    def __init__(
        self,
        port: str,
        baud: int,
        *,
        hello: bool = False,
        found: Found = lambda _: None,
        opener: Callable[[], Port | PortProblem] | None = None,
    ) -> None:
        self._path, self._baud, self._hello = port, baud, hello
        self._found = found
        self._reader = ScanReader(greets=hello)
        self._lock = threading.Lock()
        self._types = False
        self._heard_at: float | None = None
        self._opened_at = self._asked_at = 0.0
        self._watch = PortWatch("scanner", opener or self._open, self)

    def status(self) -> DeviceStatus:
        now = time.monotonic()
        if self._types:
            return DeviceStatus(DeviceState.FAULT, ScannerCause.KEYBOARD_MODE)
        if self._watch.is_stalled:
            return DeviceStatus(DeviceState.UNKNOWN, ScannerCause.NO_ANSWER)
        problem = self._watch.problem
        if problem is not None:
            return _STATUS_OF[problem.cause]
        if not self._watch.is_open:
            return DeviceStatus(DeviceState.STARTING)
        if self._hello and now - (self._heard_at or self._opened_at) > SILENCE_S:
            return DeviceStatus(DeviceState.UNKNOWN, ScannerCause.NO_ANSWER)
        if self._hello and self._heard_at is None:
            return DeviceStatus(DeviceState.STARTING)
        with self._lock:
            noisy = self._reader.is_noisy(now)
        return (
            DeviceStatus(DeviceState.ATTENTION, ScannerCause.GARBAGE)
            if noisy
            else DeviceStatus(DeviceState.READY)
        )

    def wipe(self) -> None:
        """Forget what the last person scanned."""
        with self._lock:
            self._reader.forget()

    def close(self) -> None:
        self._watch.close()

    # --- for the watch, on its thread

    def opened(self, port: Port) -> None:
        port.drop_input()
        self.wipe()
        self._opened_at, self._heard_at, self._asked_at = time.monotonic(), None, 0.0

    def lost(self) -> None:
        self.wipe()
        self._heard_at = None

    def idle(self, now: float) -> bytes:
        with self._lock:
            self._reader.tick(now)
        if not self._hello or now - self._asked_at < HEARTBEAT_S:
            return b""
        self._asked_at = now
        return QUESTION

    def heard(self, data: bytes, now: float) -> None:
        with self._lock:
            readings = self._reader.feed(data, now)
        for reading in readings:
            if isinstance(reading, Scan | Alive):
                self._heard_at = now
            if isinstance(reading, Scan):
                self._found(reading.text)

    def _open(self) -> Port | PortProblem:
        self._types = types_like_a_keyboard(self._path)
        if self._types:
            return PortProblem(PortCause.DENIED, "a keyboard, not a serial line")
        return open_port(self._path, self._baud)


def build_scanner(settings: Settings, found: Found = lambda _: None) -> SerialScanner:
    """From the section `[scanner]`."""
    return SerialScanner(
        settings.text("scanner.port"),
        settings.number("scanner.baud"),
        hello=settings.text("scanner.hello") == "question",
        found=found,
    )
