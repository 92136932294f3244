"""What a printer model can do, as data: columns, dots, exactly one code page, and what it tells.

A technician proves the page with `plaza hardware print-test`: when the Spanish line of the strip is
wrong, the profile is wrong. Where a family has older members that cannot do a thing, the profile does
without it. Each figure names its source where one was found; no figure here was measured by us on a
device. The page docs/reference/impresoras.md says which of them only the device can prove.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

CELL_DOTS = 12
"""Font A is 12 x 24 dots on every printer of this family (Epson: 576 dots are 48 columns, 512 are 42)."""
SMALL_CELL_DOTS = 9
"""Font B is 9 x 17 dots (Epson: 576 dots are 64 columns, 512 are 56)."""
LINE_DOTS = 30
"""Line spacing that every profile is told to use."""
DPI_203 = 8.0
DPI_180 = 180 / 25.4


class Sync(StrEnum):
    """How a printer says that it has carried out everything before a question."""

    GS_R = "gs_r"
    """GS r 1 is answered in the order of the data."""
    PROCESS_ID = "process_id"
    """GS ( H returns four letters that we chose: no other answer can be taken for it."""
    NONE = "none"
    """It does not: time and a look at its state must do."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`page_slot` is the n of `ESC t n`; `codec` the Python codec of that page."""

    name: str
    label: str
    dots: int
    codec: str
    page_slot: int
    native_qr: bool = True
    speed_mm_s: int = 60
    """Slowest honest speed: how long a paper may take before its verdict is unknown. Far below what the

    makers promise (150 to 300 mm/s), because a weak supply and dense lines slow every one of them.
    """
    native_barcode: bool = True
    width_mm: int = 80
    dots_per_mm: float = DPI_203
    cutter: bool = True
    status: tuple[int, ...] = (1, 2, 3, 4)
    """The n of DLE EOT n that are answered."""
    near_end: bool = True
    """Has the sensor that sees the last metres of a roll."""
    sync: Sync = Sync.GS_R
    asb: bool = True
    """Tells changes by itself when asked to (GS a)."""
    offline_while_printing: bool = False
    buffer_bytes: int = 4096
    """What it takes beyond what it has printed; more is never on its way. 4 KB by Epson's TM-T88III

    specification (1.8), whose DIP switch 1-2 must not choose 45 bytes.
    """
    escpos_name: str = "default"
    """The nearest profile of python-escpos, to compare with."""

    @property
    def columns(self) -> int:
        return self.dots // CELL_DOTS

    @property
    def small_columns(self) -> int:
        return self.dots // SMALL_CELL_DOTS

    @property
    def raster_dots(self) -> int:
        """Widest picture: they come in whole bytes."""
        return self.dots // 8 * 8

    @property
    def paper_dots(self) -> int:
        """Width of the paper itself."""
        return round(self.width_mm * self.dots_per_mm)

    @property
    def pages(self) -> dict[int, str]:
        """The code pages that it has, by slot."""
        return CLONE_PAGES if self.name == "pos-58" else PAGES

    def speaks(self, text: str) -> bool:
        """True when every character of NFC `text` is in this printer's page."""
        try:
            text.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True


def _both_widths(wide: Profile, narrow_dots: int) -> Iterator[Profile]:
    """A model for paper of 80 mm that takes 58 mm with the maker's paper guide."""
    label = f"{wide.label}, papel de"
    yield replace(wide, name=f"{wide.name}-80", label=f"{label} 80 mm")
    yield replace(
        wide, name=f"{wide.name}-58", label=f"{label} 58 mm", dots=narrow_dots, width_mm=58
    )


PROFILES = {
    p.name: p
    for p in (
        Profile("generic-80", "ESC/POS, papel de 80 mm, página CP858", 576, "cp858", 19),
        Profile(
            "generic-58", "ESC/POS, papel de 58 mm, página WPC1252", 384, "cp1252", 16, width_mm=58
        ),
        # 203 dpi, 576 dots, 48 columns; ESC t 2, 16 and 19 seen right on a device: escpos-printer-db,
        # TM-T20III. 420 dots at 58 mm: the TM-T20II's. No source found for a near-end sensor.
        *_both_widths(
            Profile(
                "tm-t20iii",
                "Epson TM-T20III",
                576,
                "cp1252",
                16,
                speed_mm_s=100,
                near_end=False,
                escpos_name="TM-T20II",
            ),
            420,
        ),
        # 180 dpi, 512 dots, 42 columns; ESC t 2, 16, 19; QR and blade: python-escpos, TM-T88V.
        # 360 dots at 58 mm: the maker's, not found again in public; the strip shows it.
        *_both_widths(
            Profile(
                "tm-t88",
                "Epson TM-T88 (V, VI)",
                512,
                "cp858",
                19,
                speed_mm_s=100,
                dots_per_mm=DPI_180,
                sync=Sync.PROCESS_ID,
                escpos_name="TM-T88V",
            ),
            360,
        ),
        # 203 dpi, 576 dots at 80 mm: python-escpos, TSP600. In Star's own mode ESC t counts otherwise
        # (16 is no WPC1252 there): the switch must stand on ESC/POS. It answers that it is off line
        # while it prints (python-escpos issue 434: to one owner always). 400 dots: not found again.
        *_both_widths(
            Profile(
                "star-escpos",
                "Star TSP650II en modo ESC/POS",
                576,
                "cp1252",
                16,
                offline_while_printing=True,
            ),
            400,
        ),
        # 180 dpi, 42 columns, ESC t 19: python-escpos, Metapace T-1, a printer of the same make, which
        # counts 504 dots (42 whole columns) where the maker says 512. QR only from SRP-350III on.
        *_both_widths(
            Profile(
                "srp-350",
                "Bixolon SRP-350",
                512,
                "cp858",
                19,
                native_qr=False,
                dots_per_mm=DPI_180,
            ),
            360,
        ),
        # 203 dpi, 384 dots, 32 columns, ESC t 2, no QR, no blade: python-escpos, POS-5890 and NT-5890K.
        # The rest differs from batch to batch.
        Profile(
            "pos-58",
            "POS-58 genérica sin cuchilla, papel de 58 mm, página CP850",
            384,
            "cp850",
            2,
            native_qr=False,
            native_barcode=False,
            speed_mm_s=45,
            width_mm=58,
            cutter=False,
            status=(1, 4),
            near_end=False,
            sync=Sync.NONE,
            asb=False,
            escpos_name="POS-5890",
        ),
    )
}

CLONE_PAGES = {
    0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252", 17: "cp866",
    18: "cp852", 19: "cp858", 25: "cp1257", 27: "cp1258", 28: "cp864", 32: "cp1255",
    52: "cp437", 53: "cp858", 54: "cp852", 55: "cp860", 56: "cp861", 57: "cp863", 58: "cp865",
    59: "cp866", 60: "cp855", 61: "cp857", 62: "cp862", 63: "cp864", 64: "cp737", 66: "cp869",
    71: "cp1252", 72: "cp1250", 73: "cp1251", 90: "cp1253", 91: "cp1254", 92: "cp1256",
    94: "cp1258", 95: "cp775",
}  # fmt: skip
"""ESC t slots of the small Chinese printers."""

PAGES = {
    0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 13: "cp857", 14: "cp737",
    15: "iso8859_7", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858", 32: "cp720", 33: "cp775",
    34: "cp855", 35: "cp861", 36: "cp862", 37: "cp864", 38: "cp869", 39: "iso8859_2",
    40: "iso8859_15", 44: "cp1125", 45: "cp1250", 46: "cp1251", 47: "cp1253", 48: "cp1254",
    49: "cp1255", 50: "cp1256", 51: "cp1257", 52: "cp1258",
}  # fmt: skip
"""ESC t slots in Epson's numbering, which the makers of this list follow."""

_TYPOGRAPHY = str.maketrans({
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2018": "'", "\u2019": "'",
    "\u201c": '"', "\u201d": '"', "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2022": "-",
})  # fmt: skip


def printable(text: str, codec: str) -> str:
    """NFC, without control characters, typographic marks made plain where the page lacks them.

    A citizen's words are data: an ESC typed or pasted into a report must never reach the printer.
    """
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in unicodedata.normalize("NFC", text)
        if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")
    )
    plain = "".join(c if _fits(c, codec) else c.translate(_TYPOGRAPHY) for c in kept)
    return plain


def _fits(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
