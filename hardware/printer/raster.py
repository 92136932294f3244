"""Pictures for the paper: a row of text whose characters no code page has, or a QR as dots.

The only printing module that loads Pillow, and only when a paper needs it: most never do.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import Any

from hardware.fonts import font_bytes
from hardware.printer.profiles import CELL_DOTS, LINE_DOTS

_FONT_PX = 20
_BASELINE = 20
_INK = 90
"""Threshold of grey to dot: thermal heads thicken strokes, so keep them thin here."""


@dataclass(frozen=True, slots=True)
class Raster:
    """One bit per dot, rows padded to whole bytes, 1 = ink."""

    width_bytes: int
    rows: int
    bits: bytes


def text_raster(text: str, *, bold: bool, scale: int, max_dots: int) -> Raster:
    """Draw one already wrapped row at the size of font A (`scale` 2 doubles it)."""
    from PIL import Image, ImageDraw

    font = _font(bold=bold, px=_FONT_PX * scale)
    width = min(max_dots, max(CELL_DOTS, round(font.getlength(text)) + scale))
    width = (width + 7) // 8 * 8
    picture = Image.new("L", (width, LINE_DOTS * scale), 0)
    ImageDraw.Draw(picture).text((0, _BASELINE * scale), text, fill=255, font=font, anchor="ls")
    return _pack(picture)


def qr_raster(content: str, *, module_dots: int, max_dots: int) -> Raster:
    """A QR for printers that cannot draw one, without its quiet zone (the paper's margin is it)."""
    import qrcode
    from PIL import Image

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(content.encode(), optimize=0)
    matrix = code.get_matrix()
    side = len(matrix)
    scale = max(1, min(module_dots, max_dots // side))
    picture = Image.new("L", (side, side), 0)
    picture.putdata([255 if dark else 0 for row in matrix for dark in row])
    large = picture.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    padded = Image.new("L", ((large.width + 7) // 8 * 8, large.height), 0)
    padded.paste(large, (0, 0))
    return _pack(padded)


def barcode_raster(content: str, *, module_dots: int, height_dots: int) -> Raster:
    """A Code 128 across the paper, for printers that cannot draw one."""
    row = "".join(module * module_dots for module in _code128(content))
    width = (len(row) + 7) // 8
    bits = int(row.ljust(width * 8, "0"), 2).to_bytes(width, "big")
    return Raster(width, height_dots, bits * height_dots)


def ladder_raster(content: str, *, module_dots: int, height_dots: int) -> Raster:
    """The same turned a quarter: its bars lie across the paper."""
    dark, light = b"\xff" * (height_dots // 8), bytes(height_dots // 8)
    rows = [dark if module == "1" else light for module in _code128(content)]
    bits = b"".join(row * module_dots for row in rows)
    return Raster(height_dots // 8, len(rows) * module_dots, bits)


def _code128(content: str) -> str:
    """Modules from the first bar to the last, 1 = bar."""
    from barcode.codex import Code128

    (modules,) = Code128(content).build()
    return str(modules)


def bands(raster: Raster, max_bytes: int) -> list[Raster]:
    """Cut into strips of at most `max_bytes`, so that no command outgrows a chunk."""
    rows = max(1, max_bytes // raster.width_bytes)
    step = rows * raster.width_bytes
    parts = [raster.bits[i : i + step] for i in range(0, len(raster.bits), step)]
    return [Raster(raster.width_bytes, len(p) // raster.width_bytes, p) for p in parts]


@functools.cache
def _font(*, bold: bool, px: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(io.BytesIO(font_bytes(bold=bold)), px)


def _pack(picture: Any) -> Raster:
    dots = picture.point(lambda grey: 255 if grey >= _INK else 0).convert("1")
    return Raster(picture.width // 8, picture.height, dots.tobytes())
