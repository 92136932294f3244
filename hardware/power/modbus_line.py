"""The port that minimalmodbus writes to: our `SerialPort` in the shape of pyserial's.

minimalmodbus clears buffers with calls that raise `termios.error`, which is no OSError, when the
cable is pulled. Here a lost port is one exception, `LineLost`, and every write still ends.
"""

from __future__ import annotations

import time

from hardware.transport.serial_port import PortProblem, SerialPort


class LineLost(OSError):
    """The port under a Modbus exchange is gone. Never leaves the driver."""


class ModbusLine:
    """One open port; `timeout` is the wait for a whole answer in seconds."""

    is_open = True

    def __init__(self, port: SerialPort, path: str, baud: int, timeout_s: float) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._heard = bytearray()
        self.port = path
        self.baudrate = baud
        self.heard_any = False
        """Some byte came since the caller last set this to False."""

    def open(self) -> None:
        """Already open: opening is `open_port`'s work."""

    def close(self) -> None:
        self._port.close()

    def reset_input_buffer(self) -> None:
        self._heard.clear()
        self._port.drop_input()

    def reset_output_buffer(self) -> None:
        """Nothing waits in here: `write` returns when the bytes have left."""

    def flush(self) -> None:
        """As for `reset_output_buffer`."""

    def write(self, data: bytes) -> None:
        problem = self._port.write(data)
        if problem is not None:
            raise LineLost(problem.cause.value)

    def read(self, count: int) -> bytes:
        """`count` bytes, or what came of them in time."""
        end = time.monotonic() + self._timeout_s
        while len(self._heard) < count and (left_s := end - time.monotonic()) > 0:
            more = self._port.read(left_s)
            if isinstance(more, PortProblem):
                raise LineLost(more.cause.value)
            self._heard += more
            self.heard_any |= bool(more)
        taken = bytes(self._heard[:count])
        del self._heard[:count]
        return taken
