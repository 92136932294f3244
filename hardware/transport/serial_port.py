"""A serial port whose trouble is a value and whose writes always end.

The only module that touches pyserial. Ports are named by path (`/dev/serial/by-path/...`, or the
far end of a simulator): `ttyUSB0` renumbers when a cable is pulled and put back.
"""

from __future__ import annotations

import contextlib
import errno

import serial

from hardware.transport.port import READ_MAX, WRITE_TIMEOUT_S, PortCause, PortProblem

__all__ = ["WRITE_TIMEOUT_S", "PortCause", "PortProblem", "SerialPort", "open_port"]

_OPEN_CAUSES = {
    errno.ENOENT: PortCause.MISSING,
    errno.ENODEV: PortCause.MISSING,
    errno.ENXIO: PortCause.MISSING,
    errno.EIO: PortCause.GONE,
    errno.EBUSY: PortCause.BUSY,
    errno.EAGAIN: PortCause.BUSY,
    errno.EACCES: PortCause.DENIED,
    errno.EPERM: PortCause.DENIED,
}


class SerialPort:
    """An open port. Make one with `open_port`; after a GONE it is only good for `close`."""

    def __init__(self, line: serial.Serial) -> None:
        self._line = line

    def read(self, timeout_s: float) -> bytes | PortProblem:
        """Wait up to `timeout_s` for one byte, then take what else is already there.

        Asking for more than one byte would cost the whole timeout on every one-byte status answer.
        """
        try:
            self._line.timeout = timeout_s
            first: bytes = self._line.read(1)
            if not first:
                return b""
            rest: bytes = self._line.read(min(self._line.in_waiting, READ_MAX))
            return first + rest
        except (OSError, TypeError) as problem:  # TypeError: pyserial, when closed under a read
            return PortProblem(PortCause.GONE, str(problem))

    def write(self, data: bytes) -> PortProblem | None:
        """Send all of `data`, or say why not. Part of it may have left before a problem."""
        try:
            self._line.write(data)
        except serial.SerialTimeoutException as problem:
            return PortProblem(PortCause.BLOCKED, str(problem))
        except OSError as problem:
            return PortProblem(PortCause.GONE, str(problem))
        return None

    def drop_input(self) -> None:
        """Forget bytes that nobody asked for."""
        with contextlib.suppress(Exception):  # termios.error when it vanished: `read` says GONE
            self._line.reset_input_buffer()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # termios.error when it vanished: as good as closed
            self._line.reset_output_buffer()  # close() would wait for a blocked device
        with contextlib.suppress(OSError):
            self._line.close()


def open_port(path: str, baud: int) -> SerialPort | PortProblem:
    """Open `path` for this process alone, 8N1, without flow control by the host."""
    try:
        line = serial.Serial(
            port=path, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True
        )
    except (OSError, ValueError) as problem:
        number = getattr(problem, "errno", None)
        if number is None and "lock" in str(problem):
            return PortProblem(PortCause.BUSY, str(problem))
        return PortProblem(_OPEN_CAUSES.get(number or 0, PortCause.GONE), str(problem))
    except Exception as problem:  # termios.error is not an OSError
        return PortProblem(PortCause.GONE, str(problem))
    return SerialPort(line)
