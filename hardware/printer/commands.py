"""The ESC/POS commands of this family: how to write each, and how long each is on the wire.

One grammar serves the renderer, the driver (which may only pause between commands: a status query
inside another command's bytes would be printed) and the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

from escpos import constants as escpos  # constants alone: no capabilities file is read

INIT = bytes(escpos.HW_INIT)
LEAVE_KANJI = bytes(escpos.FS) + b"."
PART_CUT = bytes(escpos.GS) + b"VB\x00"
"""Feed to the blade, then cut leaving one point: the paper hangs until it is taken."""
ASK_SYNC = bytes(escpos.GS) + b"r\x01"
"""Answered in the order of the data: an answer means that everything before it was executed."""
ASB_ON = bytes(escpos.GS) + b"a\xff"
ASB_OFF = bytes(escpos.GS) + b"a\x00"
TO_TEAR_BAR = bytes(escpos.ESC) + b"J\xa0"
"""20 mm of paper: the end of a paper on a printer without a blade."""
TEAR_DOTS = 150
"""A feed at least this long is the end of a paper where there is no blade."""
CLEAR_BUFFER = bytes(escpos.DLE) + b"\x14\x08\x01\x03\x14\x01\x06\x02\x08"

FILL = b"\x00" * 1024
"""Ends a command that a power cut left without its last bytes; printed alone it is nothing."""

LF = 0x0A
MAX_COMMAND = 200_000
"""Longest command accepted; a declared length beyond it is taken as junk, byte by byte."""


def ask_status(number: int) -> bytes:
    """DLE EOT n, n of 1 to 4."""
    assert 1 <= number <= 4, "DLE EOT has n of 1 to 4"
    return bytes((*escpos.RT_STATUS, number))


def ask_echo(letters: bytes) -> bytes:
    """GS ( H function 48: answered with the same four letters once all before it was executed."""
    assert len(letters) == 4, "four letters"
    return bytes(escpos.GS) + b"(H\x06\x00\x30\x30" + letters


def code_page(slot: int) -> bytes:
    return bytes((*escpos.CODEPAGE_CHANGE, slot))


def align(centered: bool) -> bytes:
    return bytes((*escpos.ESC, 0x61, int(centered)))


def bold(on: bool) -> bytes:
    return bytes((*escpos.ESC, 0x45, int(on)))


def font_b(on: bool) -> bytes:
    return bytes(escpos.TXT_FONT_B if on else escpos.TXT_FONT_A)


def size(scale: int) -> bytes:
    return bytes((*escpos.TXT_SIZE, (scale - 1) * 0x11))


def spacing(dots: int) -> bytes:
    """ESC 3 n: distance from one row to the next."""
    return bytes((*escpos.ESC, 0x33, dots))


def feed_dots(dots: int) -> bytes:
    return bytes((*escpos.ESC, 0x4A, dots))


def raster(width_bytes: int, rows: int, bits: bytes) -> bytes:
    assert len(bits) == width_bytes * rows, "raster of another size"
    header = width_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return bytes(escpos.S_RASTER_N) + header + bits


def qr(content: bytes, module_dots: int) -> bytes:
    """Model 2, correction M, stored and printed."""
    return b"".join((
        _two_d(0x41, b"2\x00"),
        _two_d(0x43, bytes((module_dots,))),
        _two_d(0x45, bytes((48 + escpos.QR_ECLEVEL_M,))),
        _two_d(0x50, b"0" + content),
        _two_d(0x51, b"0"),
    ))  # fmt: skip


def _two_d(function: int, data: bytes) -> bytes:
    body = bytes((0x31, function)) + data
    return bytes(escpos.GS) + b"(k" + len(body).to_bytes(2, "little") + body


def code128(data: bytes, module_dots: int, height_dots: int) -> bytes:
    """`data` already holds its {B and {C code sets."""
    assert 2 <= len(data) <= 255, "GS k takes 2 to 255 bytes"
    return b"".join((
        bytes(escpos.BARCODE_TXT_OFF),
        bytes((*escpos.BARCODE_HEIGHT, height_dots)),
        bytes((*escpos.BARCODE_WIDTH, module_dots)),
        bytes((*escpos.GS, 0x6B, 73, len(data))),
        data,
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One command (`name` such as "ESC t", its arguments) or a run of text (`name` "text")."""

    name: str
    raw: bytes
    args: bytes = b""


_NAMES = {0x10: "DLE", 0x1B: "ESC", 0x1C: "FS", 0x1D: "GS"}

_FIXED: dict[bytes, int] = {
    b"\x1b@": 0, b"\x1b2": 0, b"\x1b3": 1, b"\x1b!": 1, b"\x1b-": 1, b"\x1b{": 1, b"\x1bE": 1,
    b"\x1bG": 1, b"\x1bM": 1, b"\x1bR": 1, b"\x1bV": 1, b"\x1ba": 1, b"\x1bd": 1, b"\x1bJ": 1,
    b"\x1bt": 1, b"\x1b ": 1, b"\x1b$": 2, b"\x1b\\": 2, b"\x1bp": 3, b"\x1b=": 1, b"\x1bi": 0,
    b"\x1bm": 0, b"\x1bc": 2, b"\x1c.": 0, b"\x1c&": 0, b"\x1cC": 1, b"\x1d!": 1, b"\x1dB": 1,
    b"\x1dH": 1, b"\x1df": 1, b"\x1dh": 1, b"\x1dw": 1, b"\x1dL": 2, b"\x1dW": 2, b"\x1dr": 1,
    b"\x1da": 1, b"\x1dI": 1, b"\x10\x04": 1, b"\x10\x05": 1, b"\x1db": 1, b"\x1d|": 1, b"\x1dP": 2,
    b"\x1b?": 1, b"\x1bB": 2, b"\x1dT": 1, b"\x1d/": 1,
}  # fmt: skip
"""Command -> number of argument bytes. An unknown one is two bytes of nothing."""


class Lexer:
    """Bytes in, tokens out; what is not yet whole waits, at most `MAX_COMMAND` bytes of it."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def feed(self, data: bytes) -> list[Token]:
        self._waiting += data
        tokens: list[Token] = []
        start = 0
        whole = bytes(self._waiting)
        while start < len(whole):
            token = _next(whole, start)
            if token is None:
                break
            tokens.append(token)
            start += len(token.raw)
        del self._waiting[:start]
        return tokens


def _next(data: bytes, start: int) -> Token | None:
    """The token at `start`, or None when its end has not arrived."""
    if data[start] not in _NAMES:
        end = start
        while end < len(data) and data[end] not in _NAMES and data[end] != LF:
            end += 1
        if end == start:
            return Token("LF", data[start : start + 1])
        return Token("text", data[start:end])
    if start + 2 > len(data):
        return None
    length = _length(data, start)
    if length is None or start + length > len(data):
        return None
    head = data[start : start + 2]
    name = f"{_NAMES[head[0]]} {chr(head[1]) if 0x20 < head[1] < 0x7F else f'{head[1]:02x}'}"
    return Token(name, data[start : start + length], data[start + 2 : start + length])


def _length(data: bytes, start: int) -> int | None:
    """Whole length of the command at `start`; None when its own length field is not there yet."""
    head, at = data[start : start + 2], data[start + 2 : start + 10]
    if head in _FIXED:
        return 2 + _FIXED[head]
    if head == b"\x1dV":
        return None if not at else (4 if at[0] in (65, 66, 97, 98, 103, 104) else 3)
    if head == b"\x10\x14":
        return None if not at else {1: 5, 2: 5, 8: 10}.get(at[0], 3)
    if head == b"\x1d(" or head == b"\x1b(" or head == b"\x1c(":
        return None if len(at) < 3 else 5 + int.from_bytes(at[1:3], "little")
    if head == b"\x1dv":
        if len(at) < 6:
            return None
        size = int.from_bytes(at[2:4], "little") * int.from_bytes(at[4:6], "little")
        return 8 + size if size <= MAX_COMMAND else 8
    if head == b"\x1b*":
        if len(at) < 3:
            return None
        return 5 + int.from_bytes(at[1:3], "little") * (3 if at[0] in (32, 33) else 1)
    measure = _MEASURED.get(head)
    return measure(data, start) if measure is not None else 2


def _tabs_length(data: bytes, start: int) -> int | None:
    """ESC D: up to 32 positions and a NUL, or a position that is not beyond the one before."""
    end = data.find(b"\x00", start + 2, start + 2 + 33)
    if end >= 0:
        return end + 1 - start
    return None if len(data) < start + 2 + 33 else 2


def _barcode_length(data: bytes, start: int) -> int | None:
    if len(data) < start + 4:
        return None
    if data[start + 2] >= 65:
        return 4 + data[start + 3]
    end = data.find(b"\x00", start + 3, start + 3 + 256)
    if end < 0:
        return None if len(data) < start + 3 + 256 else 3
    return end + 1 - start


_MEASURED = {b"\x1bD": _tabs_length, b"\x1dk": _barcode_length}
"""Commands that end at a mark."""


def chunks(rendered: bytes, max_bytes: int) -> list[bytes]:
    """Cut rendered bytes at command borders into parts of at most `max_bytes` where possible.

    Filled from the end: the last part holds the paper's last lines and its cut, so that what came
    out before it is visibly not a whole paper.
    """
    tokens = Lexer().feed(rendered)
    units = [t.raw for t in tokens]
    used = sum(map(len, units))
    if used < len(rendered):
        units.append(rendered[used:])
    parts: list[bytes] = []
    part = b""
    for unit in reversed(units):
        if part and len(part) + len(unit) > max_bytes:
            parts.append(part)
            part = b""
        part = unit + part
    return [part, *reversed(parts)]
