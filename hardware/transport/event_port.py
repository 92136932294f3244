"""An input device that may be opened: by its place in the machine, by its maker's number, alone.

Only a name under /dev/input/by-path/ is opened (or a pseudo-terminal, which is what simulators have),
only when vendor and product are the ones in the settings, and a real one is grabbed (EVIOCGRAB), so
that nothing else on the machine hears it. The only module that touches python-evdev.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.transport.event_stream import EVENT, SW_HEADPHONE_INSERT
from hardware.transport.port import Port, PortCause, PortProblem
from hardware.transport.serial_port import open_port

BY_PATH = "/dev/input/by-path/"
EVENTS_MAX = 64
WHO, WHO_S, WHO_MAX = b"?", 1.0, 32
EVIOCGSW = 0x8000451B
"""Read the state of all switches (linux/input.h); the length is added in bits 16 to 29."""

_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}", re.ASCII)
_SAID = re.compile(rb"([0-9a-f]{4}:[0-9a-f]{4}) ([01])\n")

_OPEN_CAUSES = {
    errno.ENOENT: PortCause.MISSING,
    errno.ENODEV: PortCause.MISSING,
    errno.ENXIO: PortCause.MISSING,
    errno.EBUSY: PortCause.BUSY,
    errno.EACCES: PortCause.DENIED,
    errno.EPERM: PortCause.DENIED,
}


@dataclass(frozen=True, slots=True)
class WrongDevice:
    """Something is there that the settings do not name: it was closed again unheard."""

    found: str


@dataclass(frozen=True, slots=True)
class EventPort:
    """An open input device and how its headphone switch stood when it was opened."""

    port: Port
    headphones: bool = False


def is_device_id(text: str) -> bool:
    """`2047:09d0`: vendor and product as lsusb writes them."""
    return _ID.fullmatch(text) is not None


def is_allowed_place(path: str) -> bool:
    return path.startswith(BY_PATH) or _is_pseudo_terminal(path)


def open_events(path: str, device_id: str) -> EventPort | WrongDevice | PortProblem:
    """The device at `path` if it is the one that was meant."""
    if not path.startswith(BY_PATH):
        if not Path(path).exists():
            return PortProblem(PortCause.MISSING, path)
        if not _is_pseudo_terminal(path):
            return WrongDevice(path)
        return _open_simulated(path, device_id)
    return open_evdev(path, device_id)


def open_evdev(path: str, device_id: str) -> EventPort | WrongDevice | PortProblem:
    """A real input device, wherever it is. Callers other than tests use `open_events`."""
    import evdev

    try:
        device = evdev.InputDevice(path)
    except OSError as problem:
        return _problem(problem)
    found = f"{device.info.vendor:04x}:{device.info.product:04x}"
    if found != device_id:
        device.close()
        return WrongDevice(found)
    try:
        device.grab()
        headphones = _headphones(device.fd)
    except OSError as problem:
        device.close()
        return _problem(problem)
    return EventPort(_EvdevPort(device), headphones)


def _headphones(fd: int) -> bool:
    """How the switch stands now; a device without switches answers with none."""
    switches = bytearray(8)
    fcntl.ioctl(fd, EVIOCGSW | len(switches) << 16, switches)
    return bool(switches[0] >> SW_HEADPHONE_INSERT & 1)


class _EvdevPort:
    def __init__(self, device: Any) -> None:
        self._device = device

    def read(self, timeout_s: float) -> bytes | PortProblem:
        try:
            ready, _, _ = select.select([self._device.fd], [], [], timeout_s)
            return os.read(self._device.fd, EVENT.size * EVENTS_MAX) if ready else b""
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as problem:
            return PortProblem(PortCause.GONE, str(problem))

    def write(self, data: bytes) -> PortProblem | None:
        """Nothing is ever written to an input device: it would be its lamps."""
        return None

    def drop_input(self) -> None:
        pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._device.ungrab()
        with contextlib.suppress(OSError):
            self._device.close()


def _open_simulated(path: str, device_id: str) -> EventPort | WrongDevice | PortProblem:
    """A simulator answers `?` with its number and its switch, `2047:09d0 1`, before any event."""
    port = open_port(path, 115200)
    if isinstance(port, PortProblem):
        return port
    port.drop_input()
    problem = port.write(WHO)
    said = b""
    while problem is None and not said.endswith(b"\n") and len(said) < WHO_MAX:
        heard = port.read(WHO_S)
        if isinstance(heard, PortProblem):
            problem = heard
        elif not heard:
            problem = PortProblem(PortCause.BLOCKED, "it did not say what it is")
        else:
            said += heard
    match = _SAID.fullmatch(said)
    if problem is None and match is not None and match[1].decode() == device_id:
        return EventPort(port, match[2] == b"1")
    port.close()
    if problem is not None:
        return problem
    return WrongDevice(match[1].decode() if match else "nothing that was understood")


def _is_pseudo_terminal(path: str) -> bool:
    return str(Path(path).resolve()).startswith("/dev/pts/")


def _problem(problem: OSError) -> PortProblem:
    return PortProblem(_OPEN_CAUSES.get(problem.errno or 0, PortCause.GONE), str(problem))
