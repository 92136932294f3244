"""What a printer model can do, as data: columns, dots and exactly one code page.

A technician proves the page with `plaza hardware print-test`: when the Spanish line of the strip is
wrong, the profile is wrong.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

CELL_DOTS = 12
"""Font A is 12 x 24 dots on every printer of this family."""
SMALL_CELL_DOTS = 9
"""Font B is 9 x 17 dots."""
LINE_DOTS = 30
"""Default line spacing, 1/6 inch."""
DOTS_PER_MM = 8


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
    """Slowest honest speed: how long a paper may take before its verdict is unknown."""

    @property
    def columns(self) -> int:
        return self.dots // CELL_DOTS

    @property
    def small_columns(self) -> int:
        return self.dots // SMALL_CELL_DOTS

    @property
    def paper_dots(self) -> int:
        """Width of the paper itself: 80 mm or 58 mm."""
        return 640 if self.dots == 576 else 464

    def speaks(self, text: str) -> bool:
        """True when every character of NFC `text` is in this printer's page."""
        try:
            text.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True


PROFILES = {
    p.name: p
    for p in (
        Profile("generic-80", "ESC/POS, papel de 80 mm, página CP858", 576, "cp858", 19),
        Profile("generic-58", "ESC/POS, papel de 58 mm, página WPC1252", 384, "cp1252", 16),
    )
}

PAGES = {0: "cp437", 2: "cp850", 3: "cp860", 5: "cp865", 16: "cp1252", 18: "cp852", 19: "cp858"}
"""ESC t slots that the simulator knows (Epson's numbering)."""

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
