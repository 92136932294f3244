"""A simulated paper as a picture: thermal ink on white paper, drawn at two pixels per dot."""

from __future__ import annotations

import functools
import io
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from hardware.fonts import font_bytes
from hardware.printer.profiles import Profile
from hardware.printer.virtual_paper import Dots, Glyphs, Sheet

SCALE = 2
_INK = 30
_PAPER = 253
_TOP_DOTS = 36
_BOTTOM_DOTS = 28
_TOOTH_DOTS = 5


def png(sheet: Sheet, profile: Profile) -> bytes:
    """Grey and transparency; the lower edge is toothed where the blade fell."""
    margin = (profile.paper_dots - profile.dots) // 2
    size = (profile.paper_dots * SCALE, (_TOP_DOTS + sheet.height + _BOTTOM_DOTS) * SCALE)
    paper = Image.new("L", size, _PAPER)
    for item in sheet.items:
        x, y = (margin + item.x) * SCALE, (_TOP_DOTS + item.y) * SCALE
        if isinstance(item, Glyphs):
            _glyphs(paper, x, y, item)
        else:
            _dots(paper, x, y, item)
    buffer = io.BytesIO()
    Image.merge("LA", (paper, _edges(size))).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def _glyphs(paper: Any, x: int, y: int, item: Glyphs) -> None:
    style = item.style
    if not item.text.strip() and not style.inverse and not style.underline:
        return
    even = min(style.wide, style.high)
    cell, height = style.cell // style.wide * even, style.height // style.high * even
    width = cell * len(item.text) * SCALE
    strip = Image.new("L", (width, (height + 6 * even) * SCALE), 0)
    font = _font(bold=style.bold, px=round(cell * SCALE / 0.6))
    ImageDraw.Draw(strip).text(
        (0, round(height * 0.8) * SCALE), item.text, fill=255, font=font, anchor="ls"
    )
    stretched = (width * style.wide // even, strip.height * style.high // even)
    if stretched != strip.size:
        strip = strip.resize(stretched, Image.Resampling.BICUBIC)
    if style.flipped:
        strip = strip.rotate(180)
    top = y + (item.row_height - style.height) * SCALE
    pen = ImageDraw.Draw(paper)
    box = (x, top, x + strip.width - 1, top + style.height * SCALE - 1)
    if style.inverse:
        pen.rectangle(box, fill=_INK)
    if style.underline:
        pen.line((box[0], box[3], box[2], box[3]), fill=_INK, width=SCALE * 2)
    paper.paste(_PAPER if style.inverse else _INK, (x, top), strip)


def _dots(paper: Any, x: int, y: int, item: Dots) -> None:
    stride = (item.columns + 7) // 8
    mask = Image.frombytes("1", (stride * 8, item.rows), item.bits[: stride * item.rows])
    mask = mask.crop((0, 0, item.columns, item.rows))
    size = (item.columns * item.scale_x * SCALE, item.rows * item.scale_y * SCALE)
    paper.paste(_INK, (x, y), mask.convert("L").resize(size, Image.Resampling.NEAREST))


def _edges(size: tuple[int, int]) -> Any:
    """Alpha: everything but the teeth at the foot."""
    alpha = Image.new("L", size, 255)
    pen = ImageDraw.Draw(alpha)
    tooth = _TOOTH_DOTS * SCALE
    for left in range(0, size[0], 2 * tooth):
        points = ((left, size[1]), (left + tooth, size[1] - tooth), (left + 2 * tooth, size[1]))
        pen.polygon(points, fill=0)
    return alpha


@functools.cache
def _font(*, bold: bool, px: int) -> Any:
    return ImageFont.truetype(io.BytesIO(font_bytes(bold=bold)), px)
