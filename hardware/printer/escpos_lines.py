"""A paper's lines to the exact bytes for one printer profile.

Text goes as text (a picture of a whole receipt takes two minutes at 9,600 baud) and the QR as the
printer's own. Every block of text says again which page it is written in, because printers
forget it after a picture and may start in Kanji mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hardware.printer import commands, layout
from hardware.printer.profiles import LINE_DOTS, Profile, printable
from municipio.receipts import (
    Align,
    Barcode,
    Check,
    Cut,
    Line,
    Pair,
    Paper,
    Qr,
    Rule,
    Size,
    Space,
    Text,
)

BAND_BYTES = 900
"""Pictures go in strips this small, so that a status query fits between two of them."""
BARCODE_HEIGHT_DOTS = 80
LADDER_MODULES = 300
"""A Code 128 of more than this would be 8 cm long."""
QUIET_DOTS = 16
"""White above and below a QR, beside the spacing of lines: readers need the quiet zone."""
QR_MAX_BYTES = 800
"""A longer QR would be too dense to read from thermal paper, and longer than a chunk."""

_SPACING_DOTS = {Size.SMALL: 26, Size.NORMAL: LINE_DOTS, Size.LARGE: 60}

_QR_M_BYTES = (
    14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666,
    711, 779, 857,
)  # fmt: skip
"""Bytes that fit in QR versions 1, 2, ... with correction M (ISO/IEC 18004, table 7)."""


class PaperTooRich(ValueError):
    """A QR or barcode that this paper cannot carry: the paper's builder is wrong."""


def render_lines(paper: Paper, profile: Profile) -> bytes:
    """Bytes for `paper`; a paper without its own `Cut` gets one. Raises PaperTooRich."""
    writer = _Writer(profile)
    for line in paper.lines:
        writer.line(line)
    if not any(isinstance(line, Cut) for line in paper.lines):
        writer.line(Cut())
    return writer.rendered()


class _Writer:
    """Remembers what mode the printer is in and sends only what changes."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._parts: list[bytes] = [commands.INIT]
        self._in_block = False
        self._spacing = 0
        """Not yet told: what 1/6 inch is in dots depends on the model."""
        self._mode = {"center": False, "bold": False, "small": False, "large": False}

    def rendered(self) -> bytes:
        return b"".join(self._parts)

    def line(self, line: Line) -> None:
        match line:
            case Text():
                self._text(line)
            case Pair():
                self._pair(line)
            case Rule():
                self._rows(["-" * self._columns(Size.NORMAL)])
            case Space():
                self._space(Size.NORMAL)
                self._parts.append(b"\n" * line.lines)
            case Check():
                text, detail = self._clean(line.text), self._clean(line.detail)
                self._rows(layout.check(text, detail, self._columns(Size.NORMAL)))
            case Qr():
                self._qr(line)
            case Barcode():
                self._barcode(line)
            case Cut():
                cut = commands.PART_CUT if self._profile.cutter else commands.TO_TEAR_BAR
                self._parts.append(cut)
                self._in_block = False

    def _text(self, line: Text) -> None:
        columns = self._columns(line.size)
        center = line.align is Align.CENTER
        wrap = layout.balanced if center else layout.wrap
        rows = [r for p in line.text.split("\n") for r in wrap(self._clean(p), columns)]
        self._rows(rows, center=center, bold=line.bold, size=line.size)

    def _pair(self, line: Pair) -> None:
        label, value = self._clean(line.label), self._clean(line.value)
        size = line.size
        if size is Size.LARGE and len(value) > self._columns(size):
            size = Size.NORMAL
        self._rows(layout.pair(label, value, self._columns(size)), bold=line.bold, size=size)

    def _rows(
        self,
        rows: Sequence[str],
        *,
        center: bool = False,
        bold: bool = False,
        size: Size = Size.NORMAL,
    ) -> None:
        for row in rows:
            text = row.rstrip()
            if self._profile.speaks(text):
                small, large = size is Size.SMALL, size is Size.LARGE
                self._block(center=center, bold=bold, small=small, large=large)
                self._space(size)
                self._parts.append(text.encode(self._profile.codec) + b"\n")
            else:
                self._drawn(text, center=center, bold=bold, scale=2 if size is Size.LARGE else 1)

    def _drawn(self, text: str, *, center: bool, bold: bool, scale: int) -> None:
        from hardware.printer import raster

        self._picture(
            raster.text_raster(text, bold=bold, scale=scale, max_dots=self._profile.raster_dots),
            center=center,
        )

    def _picture(self, picture: object, *, center: bool) -> None:
        from hardware.printer import raster

        assert isinstance(picture, raster.Raster)
        self._set("center", center, commands.align(center))
        for band in raster.bands(picture, BAND_BYTES):
            self._parts.append(commands.raster(band.width_bytes, band.rows, band.bits))
        self._in_block = False

    def _qr(self, line: Qr) -> None:
        content = line.content.encode()
        if not content or len(content) > QR_MAX_BYTES:
            raise PaperTooRich(f"a QR of {len(content)} bytes; 1 to {QR_MAX_BYTES} can be printed")
        version = next(v for v, room in enumerate(_QR_M_BYTES, 1) if len(content) <= room)
        modules = 17 + 4 * version
        dots = max(2, min(line.module_dots, 16, self._profile.dots // (modules + 4)))
        self._set("center", True, commands.align(True))
        self._parts.append(commands.feed_dots(QUIET_DOTS))
        if self._profile.native_qr:
            self._parts.append(commands.qr(content, dots))
            self._in_block = False
        else:
            from hardware.printer import raster

            drawn = raster.qr_raster(
                line.content, module_dots=dots, max_dots=self._profile.raster_dots
            )
            self._picture(drawn, center=True)
        self._parts.append(commands.feed_dots(QUIET_DOTS))
        self._caption(line.caption)

    def _barcode(self, line: Barcode) -> None:
        data, modules = code128_data(line.content)
        width = next((w for w in (3, 2) if modules * w <= self._profile.dots), 0)
        if modules > LADDER_MODULES:
            raise PaperTooRich(f"a Code 128 of {modules} modules; {LADDER_MODULES} can be printed")
        self._set("center", True, commands.align(True))
        self._parts.append(commands.feed_dots(QUIET_DOTS // 2))
        if width and self._profile.native_barcode:
            self._parts.append(commands.code128(data, width, BARCODE_HEIGHT_DOTS))
        else:
            self._drawn_barcode(line.content, width)
        self._parts.append(commands.feed_dots(QUIET_DOTS // 2))
        self._in_block = False
        self._rows([line.content], center=True)
        self._caption(line.caption)

    def _drawn_barcode(self, content: str, module_dots: int) -> None:
        """Too long for the paper's width (0 dots): along it, like the rungs of a ladder."""
        from hardware.printer import raster

        draw = raster.barcode_raster if module_dots else raster.ladder_raster
        picture = draw(content, module_dots=module_dots or 2, height_dots=BARCODE_HEIGHT_DOTS)
        self._picture(picture, center=True)

    def _caption(self, caption: str) -> None:
        if caption:
            self._text(Text(caption, align=Align.CENTER))

    def _block(self, **mode: bool) -> None:
        if not self._in_block:
            self._parts.append(commands.LEAVE_KANJI + commands.code_page(self._profile.page_slot))
            self._in_block = True
        self._set("center", mode["center"], commands.align(mode["center"]))
        self._set("bold", mode["bold"], commands.bold(mode["bold"]))
        self._set("small", mode["small"], commands.font_b(mode["small"]))
        self._set("large", mode["large"], commands.size(2 if mode["large"] else 1))

    def _space(self, size: Size) -> None:
        dots = _SPACING_DOTS[size]
        if self._spacing != dots:
            self._spacing = dots
            self._parts.append(commands.spacing(dots))

    def _set(self, what: str, value: bool, command: bytes) -> None:
        if self._mode[what] != value:
            self._mode[what] = value
            self._parts.append(command)

    def _clean(self, text: str) -> str:
        return printable(text, self._profile.codec)

    def _columns(self, size: Size) -> int:
        columns = self._profile.columns
        return {
            Size.SMALL: self._profile.small_columns,
            Size.NORMAL: columns,
            Size.LARGE: columns // 2,
        }[size]


def code128_data(content: str) -> tuple[bytes, int]:
    """The data of `GS k 73` and the width in modules: pairs of digits in set C, the rest in B.

    Raises PaperTooRich for an empty content or one outside printable ASCII.
    """
    if not content or any(not 0x20 <= ord(c) < 0x7F for c in content):
        raise PaperTooRich(f"Code 128 carries printable ASCII, not {content!r}")
    runs = _digit_runs(content)
    data, symbols, current = b"", 0, ""
    for kind, text in runs:
        if kind != current:
            data += b"{" + kind.encode()
            symbols += 1
            current = kind
        if kind == "C":
            data += bytes(int(a + b) for a, b in zip(text[::2], text[1::2], strict=True))
            symbols += len(text) // 2
        else:
            data += text.replace("{", "{{").encode("ascii")
            symbols += len(text)
    if len(data) > 255:
        raise PaperTooRich("a Code 128 longer than 255 bytes")
    return data, symbols * 11 + 11 + 13


def _digit_runs(content: str) -> list[tuple[str, str]]:
    """Cut into ("C", even number of digits) and ("B", text); C only where it pays (4 digits up)."""
    borders = [0]
    borders += [i for i, (a, b) in enumerate(pairwise(content), 1) if a.isdigit() != b.isdigit()]
    pieces = [content[a:b] for a, b in pairwise([*borders, len(content)])]
    runs: list[tuple[str, str]] = []
    for piece in pieces:
        even = len(piece) // 2 * 2
        if piece.isdigit() and even >= 4:
            runs.append(("C", piece[:even]))
            piece = piece[even:]
        if piece and runs and runs[-1][0] == "B":
            runs[-1] = ("B", runs[-1][1] + piece)
        elif piece:
            runs.append(("B", piece))
    return runs
