"""The three ways in which ESC/POS carries a picture, as packed dots. Pure."""

from __future__ import annotations

from hardware.printer.virtual_codes import Drawn


def raster(args: bytes, max_dots: int) -> tuple[Drawn, int, int] | None:
    """GS v 0: rows of whole bytes. Gives the dots and how much wider and higher each is."""
    width = int.from_bytes(args[2:4], "little")
    rows = int.from_bytes(args[4:6], "little")
    bits = args[6:]
    if not width or not rows or len(bits) < width * rows:
        return None
    double = args[1] & 3
    return _narrowed(width, rows, bits, max_dots), 1 + (double & 1), 1 + (double >> 1)


def stored(body: bytes, max_dots: int) -> tuple[Drawn, int, int] | None:
    """GS ( L function 112: the same, kept until function 50 prints it."""
    if len(body) < 10 or body[1] not in (0x70, 112):
        return None
    columns = int.from_bytes(body[6:8], "little")
    rows = int.from_bytes(body[8:10], "little")
    width = (columns + 7) // 8
    if not width or not rows or len(body) < 10 + width * rows:
        return None
    return _narrowed(width, rows, body[10:], max_dots), max(1, body[3]), max(1, body[4])


def columns(args: bytes) -> tuple[Drawn, int, int] | None:
    """ESC *: columns of 8 or 24 dots, from the left."""
    if len(args) < 3 or args[0] not in (0, 1, 32, 33):
        return None
    deep = 3 if args[0] >= 32 else 1
    count = int.from_bytes(args[1:3], "little")
    data = args[3 : 3 + count * deep]
    if not count or len(data) < count * deep:
        return None
    width, rows = (count + 7) // 8, 8 * deep
    bits = bytearray(width * rows)
    for column in range(count):
        for row in range(rows):
            if data[column * deep + row // 8] & 0x80 >> row % 8:
                bits[row * width + column // 8] |= 0x80 >> column % 8
    wider = 1 if args[0] in (1, 33) else 2
    return Drawn(width * 8, rows, bytes(bits)), wider, 1 if deep == 3 else 3


def _narrowed(width: int, rows: int, bits: bytes, max_dots: int) -> Drawn:
    """What the head can print of it: the rest is beyond its last dot."""
    shown = min(width, max_dots // 8)
    if shown < width:
        bits = b"".join(bits[i * width : i * width + shown] for i in range(rows))
    return Drawn(shown * 8, rows, bits[: shown * rows])
