"""A cable that does one bad thing at a chosen moment: for tests that fail the Nth operation.

It stands between a driver and a simulator. An operation is one piece of bytes that crosses, in
either direction, counted from 1 after `arm`; the driver opens `path`, or the link.
"""

from __future__ import annotations

import threading
import time
from enum import StrEnum
from pathlib import Path

from hardware.transport.pty_end import PtyEnd
from hardware.transport.serial_port import PortProblem, SerialPort, open_port

READ_S = 0.05


class Fault(StrEnum):
    SHORT = "short"
    """Only the first half of the piece crosses."""
    DROP = "drop"
    """One byte in its middle is lost."""
    FLIP = "flip"
    """One bit in its middle is wrong."""
    STALL = "stall"
    """This piece and all after it are held for `stall_s`, then cross."""
    JUNK = "junk"
    """Bytes that nobody sent come before it."""
    UNPLUG = "unplug"
    """The driver's end vanishes for `stall_s`; this piece is lost."""


class FaultyCable:
    """From the device's `device_path` to `path`. `fired` says whether the armed fault happened."""

    def __init__(self, device_path: str, baud: int = 115_200, *, stall_s: float = 0.5) -> None:
        opened = open_port(device_path, baud)
        if isinstance(opened, PortProblem):
            raise ValueError(f"no device at {device_path}: {opened.detail}")
        self._device: SerialPort = opened
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._left = 0
        self._closing = threading.Event()
        self._near = PtyEnd(self._to_device)
        self._thread = threading.Thread(target=self._from_device, name="cable", daemon=True)
        self.fired = False

    def open(self) -> str:
        path = self._near.open()
        self._thread.start()
        return path

    def link(self, path: Path) -> None:
        self._near.link(path)

    def arm(self, fault: Fault, nth: int) -> None:
        """The `nth` piece from now on meets `fault`, once."""
        with self._lock:
            self._fault, self._left, self.fired = fault, nth, False

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._near.close()
        self._device.close()

    def _to_device(self, data: bytes) -> None:
        self._device.write(self._spoil(data))

    def _from_device(self) -> None:
        while not self._closing.is_set():
            data = self._device.read(READ_S)
            if isinstance(data, PortProblem):
                self._near.unplug()
                return
            if data:
                self._near.send(self._spoil(data))

    def _spoil(self, data: bytes) -> bytes:
        with self._lock:
            self._left -= 1
            if self._fault is None or self._left != 0:
                return data
            fault, self._fault = self._fault, None
        spoiled = self._happen(fault, data)
        self.fired = True
        return spoiled

    def _happen(self, fault: Fault, data: bytes) -> bytes:
        middle = len(data) // 2
        match fault:
            case Fault.SHORT:
                return data[:middle]
            case Fault.DROP:
                return data[:middle] + data[middle + 1 :]
            case Fault.FLIP:
                return data[:middle] + bytes((data[middle] ^ 0x10,)) + data[middle + 1 :]
            case Fault.JUNK:
                return b"\x00\xff:\n\r\t" + data
            case Fault.STALL:
                self._closing.wait(self._stall_s)
                return data
            case Fault.UNPLUG:
                self._near.unplug()
                time.sleep(self._stall_s)
                self._near.replug()
                return b""
