"""The far end of Modbus RTU: questions in, answers out. Sans-IO, for the simulated controller.

Answers function 4 for known registers, exception 1 or 2 for anything else addressed to it with a
right CRC, and nothing at all to noise, as a real device does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

REQUEST_BYTES = 8
BUFFER_MAX = 256
READ_INPUT = 4
REGISTERS_MAX = 125
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS = 1, 2


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus over `data`, low byte first as on the wire."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


class FarModbus:
    """One address on the bus, answering from `registers()`."""

    def __init__(self, address: int, registers: Callable[[], Mapping[int, int]]) -> None:
        self._address = address
        self._registers = registers
        self._heard = bytearray()

    def feed(self, data: bytes) -> bytes:
        """What to answer now; noise is dropped byte by byte until a question fits."""
        self._heard += data
        answers = bytearray()
        while len(self._heard) >= REQUEST_BYTES:
            frame = bytes(self._heard[:REQUEST_BYTES])
            if crc(frame[:-2]) == frame[-2:]:
                del self._heard[:REQUEST_BYTES]
                answers += self._answer(frame)
            else:
                del self._heard[0]
        del self._heard[:-BUFFER_MAX]
        return bytes(answers)

    def pause(self) -> None:
        """The line has been quiet: what was half heard never becomes a question."""
        self._heard.clear()

    def _answer(self, frame: bytes) -> bytes:
        address, function = frame[0], frame[1]
        if address != self._address:
            return b""
        first, count = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if function != READ_INPUT:
            return _closed(bytes((address, function & 0x7F | 0x80, _ILLEGAL_FUNCTION)))
        registers = self._registers()
        wanted = range(first, first + count)
        if not 0 < count <= REGISTERS_MAX or any(r not in registers for r in wanted):
            return _closed(bytes((address, function | 0x80, _ILLEGAL_ADDRESS)))
        values = b"".join(registers[r].to_bytes(2, "big") for r in wanted)
        return _closed(bytes((address, function, len(values))) + values)


def _closed(body: bytes) -> bytes:
    return body + crc(body)
