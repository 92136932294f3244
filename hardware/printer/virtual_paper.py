"""An ESC/POS interpreter: commands in, what is on the paper out. No files, no pictures, no threads.

It reads what any program sends, not only ours: whatever arrives it must survive, in bounded memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hardware.printer.commands import TEAR_DOTS, Lexer, Token
from hardware.printer.profiles import CELL_DOTS, LINE_DOTS, SMALL_CELL_DOTS, Profile
from hardware.printer.virtual_codes import Drawn

MAX_DOTS = 24_000
"""Three metres: a longer paper is cut, like a technician would."""
MAX_ITEMS = 6_000
MAX_RAW = 1_000_000
FEED_TO_BLADE_DOTS = 96
TAB_DOTS = 8 * CELL_DOTS
_TEXT_DOTS = 24
_SMALL_TEXT_DOTS = 17


@dataclass(frozen=True, slots=True)
class Style:
    bold: bool = False
    small: bool = False
    wide: int = 1
    high: int = 1
    underline: bool = False
    inverse: bool = False
    flipped: bool = False

    @property
    def cell(self) -> int:
        return (SMALL_CELL_DOTS if self.small else CELL_DOTS) * self.wide

    @property
    def height(self) -> int:
        return (_SMALL_TEXT_DOTS if self.small else _TEXT_DOTS) * self.high


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A run of characters of one style, at `x`, `y` (top) in dots."""

    x: int
    y: int
    row_height: int
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Dots:
    """A block of squares: rows of packed bits, each `scale_x` by `scale_y` dots."""

    x: int
    y: int
    columns: int
    rows: int
    bits: bytes
    scale_x: int = 1
    scale_y: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """One piece of paper as it came off."""

    items: tuple[Glyphs | Dots, ...]
    height: int
    raw: bytes
    text: str
    codes: tuple[str, ...]
    """Contents of the QR and barcodes, in order."""
    whole: bool
    """The blade cut it, or a person tore it off after it was fed out to the bar."""


@dataclass
class _Mode:
    style: Style = field(default_factory=Style)
    align: int = 0
    spacing: int = LINE_DOTS
    codec: str = "cp437"
    kanji: bool = False
    bar_height: int = 162
    bar_width: int = 3
    bar_text: int = 0
    qr_dots: int = 3
    qr_level: int = 48
    qr_data: bytes = b""
    picture: tuple[Drawn, int, int] | None = None


class VirtualPaper:
    """Feed it tokens with `execute`; a Sheet comes back when the blade falls."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._mode = _Mode()
        self._clean()

    @property
    def used_dots(self) -> int:
        """Length of the paper out so far."""
        return self._y

    @property
    def is_blank(self) -> bool:
        return not self._items and not self._line

    def execute(self, token: Token) -> Sheet | None:
        """Do what one command says. Returns the finished paper at a cut, or when far too long."""
        if token.name == "text" and not token.raw.strip(b"\x00"):
            return None
        if len(self._raw) + len(token.raw) <= MAX_RAW:
            self._raw += token.raw
        if token.name == "text":
            self._write(token.raw)
        elif token.name == "LF":
            self._end_line()
        elif token.name == "GS V":
            return self._cut(token)
        elif self._is_last_feed(token):
            self._command(token)
            return None if self.is_blank else self.tear(whole=True)
        else:
            self._command(token)
        too_long = self._y > MAX_DOTS or len(self._items) + len(self._line) > MAX_ITEMS
        return self.tear(whole=True) if too_long else None

    def tear(self, *, whole: bool = False) -> Sheet | None:
        """Take the paper off as it is; None when nothing is on it."""
        if self._line:
            self._end_line()
        sheet = None
        if not self.is_blank:
            text = "\n".join(self._text) + "\n"
            sheet = Sheet(
                tuple(self._items), self._y, bytes(self._raw), text, tuple(self._codes), whole
            )
        self._clean()
        return sheet

    def reset(self) -> None:
        """ESC @: modes to their defaults; the paper stays."""
        self._mode = _Mode()

    def _clean(self) -> None:
        self._items: list[Glyphs | Dots] = []
        self._line: list[Glyphs | Dots] = []
        self._x = 0
        self._y = 0
        self._raw = bytearray()
        self._text: list[str] = []
        self._codes: list[str] = []

    def _is_last_feed(self, token: Token) -> bool:
        """Without a blade, paper that was fed out to the bar is taken."""
        if self._profile.cutter or token.name not in ("ESC J", "ESC d"):
            return False
        return token.args[0] * (1 if token.name == "ESC J" else LINE_DOTS) >= TEAR_DOTS

    def _cut(self, token: Token) -> Sheet | None:
        if self._line:
            self._end_line()
        if self.is_blank or not self._profile.cutter:
            return None
        if len(token.args) > 1:
            self._y += FEED_TO_BLADE_DOTS + token.args[1]
        return self.tear(whole=True)

    def _write(self, data: bytes) -> None:
        style = self._mode.style
        for character in data.decode(self._mode.codec, errors="replace"):
            if character == "\t":
                self._x += TAB_DOTS - self._x % TAB_DOTS
            if ord(character) < 0x20:
                continue
            if self._x + style.cell > self._profile.dots:
                self._end_line()
            last = self._line[-1] if self._line else None
            if _goes_on(last, style, self._x):
                assert isinstance(last, Glyphs)
                self._line[-1] = replace(last, text=last.text + character)
            else:
                self._line.append(Glyphs(self._x, 0, 0, character, style))
            self._x += style.cell

    def _end_line(self) -> None:
        height = max((_height(item) for item in self._line), default=0)
        start = self._aligned(self._x)
        row, seen = "", False
        for item in self._line:
            if isinstance(item, Dots):
                self._items.append(replace(item, x=start + item.x, y=self._y))
                seen = True
            else:
                placed = replace(item, x=start + item.x, y=self._y, row_height=height)
                self._items.append(placed)
                row = row.ljust((start + item.x) // CELL_DOTS) + item.text
        if seen and not row:
            self._say_picture()
        else:
            self._text.append(row.rstrip())
        self._y += max(self._mode.spacing, height)
        self._line, self._x = [], 0

    def _aligned(self, width: int) -> int:
        return max(0, self._profile.dots - width) * self._mode.align // 2

    def _command(self, token: Token) -> None:
        name, args = token.name, token.args
        n = args[0] if args else 0
        style = self._mode.style
        match name:
            case "ESC @":
                self.reset()
            case "ESC E" | "ESC G":
                self._mode.style = replace(style, bold=bool(n & 1))
            case "ESC M":
                self._mode.style = replace(style, small=n in (1, 49))
            case "ESC -":
                self._mode.style = replace(style, underline=n in (1, 2, 49, 50))
            case "GS B":
                self._mode.style = replace(style, inverse=bool(n & 1))
            case "GS !":
                self._mode.style = replace(style, wide=(n >> 4 & 7) + 1, high=(n & 7) + 1)
            case "ESC {":
                self._mode.style = replace(style, flipped=bool(n & 1))
            case "ESC !":
                self._mode.style = replace(_combined(n), inverse=style.inverse)
            case _:
                self._layout_command(name, args, n)

    def _layout_command(self, name: str, args: bytes, n: int) -> None:
        mode = self._mode
        match name:
            case "ESC a":
                mode.align = n % 48 if n % 48 <= 2 else mode.align
            case "ESC t":
                mode.codec = self._profile.pages.get(n, mode.codec)
            case "ESC 2":
                mode.spacing = LINE_DOTS
            case "ESC 3":
                mode.spacing = n
            case "ESC d":
                for _ in range(n):
                    self._end_line()
            case "ESC J":
                self._end_line_if_any()
                self._y += n
            case "ESC $":
                self._x = int.from_bytes(args, "little") % self._profile.dots
            case "FS &" | "FS .":
                mode.kanji = name == "FS &"
            case _:
                self._code_command(name, args, n)

    def _end_line_if_any(self) -> None:
        if self._line:
            self._end_line()

    def _code_command(self, name: str, args: bytes, n: int) -> None:
        mode = self._mode
        match name:
            case "GS h":
                mode.bar_height = max(1, n)
            case "GS w":
                mode.bar_width = n if 2 <= n <= 6 else mode.bar_width
            case "GS H":
                mode.bar_text = n % 48
            case "GS k" if self._profile.native_barcode:
                self._barcode(args)
            case "GS (" if n == 0x6B and self._profile.native_qr:
                self._two_d(args[3:])
            case _:
                self._picture_command(name, args, n)

    def _picture_command(self, name: str, args: bytes, n: int) -> None:
        from hardware.printer import virtual_images

        dots = self._profile.dots
        match name:
            case "GS v":
                self._picture(virtual_images.raster(args, dots))
            case "GS (" if n == 0x4C and len(args) >= 5 and args[4] in (2, 50):
                self._picture(self._mode.picture)
            case "GS (" if n == 0x4C:
                self._mode.picture = virtual_images.stored(args[3:], dots)
            case "ESC *":
                drawn = virtual_images.columns(args)
                if drawn is not None and self._x + drawn[0].columns * drawn[1] <= dots + 7:
                    strip, wider, higher = drawn
                    self._line.append(
                        Dots(self._x, 0, strip.columns, strip.rows, strip.bits, wider, higher)
                    )
                    self._x += strip.columns * wider

    def _picture(self, drawn: tuple[Drawn, int, int] | None) -> None:
        if drawn is not None:
            dots, wider, higher = drawn
            self._place(dots.columns, dots.rows, dots.bits, wider, higher)
            self._say_picture()

    def _say_picture(self) -> None:
        if self._text[-1:] != ["[imagen]"]:
            self._text.append("[imagen]")

    def _place(self, columns: int, rows: int, bits: bytes, scale_x: int, scale_y: int) -> None:
        self._end_line_if_any()
        x = self._aligned(columns * scale_x)
        self._items.append(Dots(x, self._y, columns, rows, bits, scale_x, scale_y))
        self._y += rows * scale_y

    def _two_d(self, body: bytes) -> None:
        if len(body) < 3 or body[0] != 0x31:
            return
        function, value = body[1], body[2]
        if function == 0x43:
            self._mode.qr_dots = value if 1 <= value <= 16 else self._mode.qr_dots
        elif function == 0x45:
            self._mode.qr_level = value if 48 <= value <= 51 else self._mode.qr_level
        elif function == 0x50:
            self._mode.qr_data = body[3:7092]
        elif function == 0x51:
            self._qr()

    def _qr(self) -> None:
        from hardware.printer import virtual_codes

        drawn = virtual_codes.qr(self._mode.qr_data, self._mode.qr_level - 48)
        scale = self._mode.qr_dots
        if drawn is None or drawn.columns * scale > self._profile.dots:
            return
        self._place(drawn.columns, drawn.rows, drawn.bits, scale, scale)
        content = self._mode.qr_data.decode("utf-8", errors="replace")
        self._codes.append(content)
        self._text.append(f"[QR: {content}]")

    def _barcode(self, args: bytes) -> None:
        from hardware.printer import virtual_codes

        read = virtual_codes.barcode(args)
        if read is None or read[1].columns * self._mode.bar_width > self._profile.dots:
            return
        content, drawn = read
        self._place(drawn.columns, 1, drawn.bits, self._mode.bar_width, self._mode.bar_height)
        self._codes.append(content)
        self._text.append(f"[{'CODE128' if args[0] == 73 else 'BARRAS'}: {content}]")
        if self._mode.bar_text & 2:
            self._write(content.encode(self._mode.codec, errors="replace"))
            self._end_line_if_any()


def _height(item: Glyphs | Dots) -> int:
    return item.style.height if isinstance(item, Glyphs) else item.rows * item.scale_y


def _goes_on(last: Glyphs | Dots | None, style: Style, x: int) -> bool:
    """True when the next character at `x` belongs to that run."""
    if not isinstance(last, Glyphs) or last.style != style:
        return False
    return last.x + style.cell * len(last.text) == x


def _combined(n: int) -> Style:
    """ESC ! sets everything at once."""
    return Style(
        bold=bool(n & 0x08),
        small=bool(n & 0x01),
        wide=2 if n & 0x20 else 1,
        high=2 if n & 0x10 else 1,
        underline=bool(n & 0x80),
    )


def preview(rendered: bytes, profile: Profile) -> Sheet:
    """What a paper's bytes would print. Raises ValueError when they print nothing."""
    paper = VirtualPaper(profile)
    for token in Lexer().feed(rendered):
        sheet = paper.execute(token)
        if sheet is not None:
            return sheet
    torn = paper.tear()
    if torn is None:
        raise ValueError("these bytes print nothing")
    return torn
