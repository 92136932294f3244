"""Our interpreter against the bytes of python-escpos: what was asked of it is what is on the paper.

An independent author writes, ours reads. What is drawn by chance (hypothesis) is the sequence of
calls; the expectation is made from the calls alone.
"""

from __future__ import annotations

import io
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyzbar.pyzbar import decode

from hardware.printer import virtual_picture
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.virtual_paper import Dots, Glyphs, Sheet, Style, preview

LETTERS = "áéíóúüñÁÉÍÓÚÜÑ¿¡ºª$€çãØ£ abcXYZ019.-"
ALIGNS = ("left", "center", "right")
PROFILE = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)


@dataclass(frozen=True)
class TextCall:
    text: str
    style: Style
    align: int

    def write(self, other: Any) -> None:
        style = self.style
        other.set(
            align=ALIGNS[self.align],
            font="b" if style.small else "a",
            bold=style.bold,
            underline=1 if style.underline else 0,
            invert=style.inverse,
            flip=style.flipped,
            custom_size=True,
            width=style.wide,
            height=style.high,
        )
        other.textln(self.text)


@dataclass(frozen=True)
class ImageCall:
    columns: int
    rows: int
    bits: int
    way: str

    @property
    def dark(self) -> list[bool]:
        return [bool(self.bits >> i & 1) for i in range(self.columns * self.rows)]

    @property
    def picture(self) -> Image.Image:
        grey = bytes(0 if dark else 255 for dark in self.dark)
        return Image.frombytes("L", (self.columns, self.rows), grey)

    def write(self, other: Any) -> None:
        other.set(align="left")
        other.image(self.picture, impl=self.way)


@dataclass(frozen=True)
class QrCall:
    content: str

    def write(self, other: Any) -> None:
        other.set(align="center", normal_textsize=True)
        other.qr(self.content, native=True, size=4)


Call = TextCall | ImageCall | QrCall

texts = st.builds(
    TextCall,
    text=st.text(LETTERS, min_size=1, max_size=12).filter(lambda t: t == t.strip()),
    style=st.builds(
        Style,
        bold=st.booleans(),
        small=st.booleans(),
        wide=st.integers(1, 2),
        high=st.integers(1, 3),
        underline=st.booleans(),
        inverse=st.booleans(),
        flipped=st.booleans(),
    ),
    align=st.integers(0, 2),
)
images = st.builds(
    ImageCall,
    columns=st.sampled_from([8, 16, 40]),
    rows=st.sampled_from([24, 48]),
    bits=st.integers(1, 2**600),
    way=st.sampled_from(["bitImageRaster", "bitImageColumn", "graphics"]),
)
codes = st.builds(QrCall, st.text("abcdefghij0123456789/:.", min_size=1, max_size=40))


@pytest.fixture(scope="module")
def make() -> Iterator[Callable[[Profile], Any]]:
    """python-escpos as a printer that only collects its bytes."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = cache
        from escpos.printer import Dummy

        yield lambda profile: Dummy(profile=profile.escpos_name)


def picture_of(sheet: Sheet, profile: Profile) -> Image.Image:
    drawn = Image.open(io.BytesIO(virtual_picture.png(sheet, profile))).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("L")


def dots_of(items: list[Dots]) -> list[bool]:
    """Strips one below the other as one list of dots."""
    dots: list[bool] = []
    for item in items:
        stride = (item.columns + 7) // 8
        for row in range(item.rows):
            line = item.bits[row * stride : (row + 1) * stride]
            dots += [bool(line[c // 8] & 0x80 >> c % 8) for c in range(item.columns)]
    return dots


def check_text(call: TextCall, items: list[Glyphs | Dots], profile: Profile) -> int:
    """The run of glyphs at the head of `items` says what was asked; how many items it is."""
    width = call.style.cell * len(call.text)
    got, count = "", 0
    for item in items:
        if len(got) >= len(call.text):
            break
        assert isinstance(item, Glyphs)
        assert item.style == call.style
        if not got:
            assert item.x == (profile.dots - width) * call.align // 2
        got += item.text
        count += 1
    assert got == call.text
    return count


def check_image(call: ImageCall, items: list[Glyphs | Dots]) -> int:
    count = call.rows // 24 if call.way == "bitImageColumn" else 1
    strips = [item for item in items[:count] if isinstance(item, Dots)]
    assert len(strips) == count
    assert all(strip.x == 0 for strip in strips)
    assert all(b.y == a.y + a.rows for a, b in itertools.pairwise(strips))
    assert dots_of(strips) == call.dark
    return count


@PROFILE
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(st.one_of(texts, texts, images, codes), min_size=1, max_size=8))
def test_what_python_escpos_was_asked_for_is_on_the_paper(
    profile: Profile, make: Callable[[Profile], Any], calls: list[Call]
) -> None:
    other = make(profile)
    for call in calls:
        if isinstance(call, QrCall) and not profile.native_qr:
            continue
        call.write(other)
    other.cut()
    if not other.output.strip(b"\n"):
        return
    asked = [c for c in calls if profile.native_qr or not isinstance(c, QrCall)]
    if not asked:
        return
    sheet = preview(other.output, profile)
    items = list(sheet.items)
    for call in asked:
        match call:
            case TextCall():
                used = check_text(call, items, profile)
            case ImageCall():
                used = check_image(call, items)
            case QrCall():
                used = 1
                assert isinstance(items[0], Dots)
                assert items[0].scale_x == 4
        del items[:used]

    assert items == []
    assert list(sheet.codes) == [c.content for c in asked if isinstance(c, QrCall)]
    assert sheet.whole


BARCODES = [
    ("EAN13", "4006381333931", "B"),
    ("EAN13", "400638133393", "A"),
    ("EAN8", "12345670", "B"),
    ("UPC-A", "123456789012", "B"),
    ("CODE39", "ABC-123", "A"),
    ("ITF", "12345678", "B"),
    ("CODE128", "{BABC123", "B"),
]


@pytest.mark.parametrize(
    "profile", [p for p in PROFILES.values() if p.native_barcode], ids=lambda p: p.name
)
@pytest.mark.parametrize(("kind", "content", "function"), BARCODES)
def test_its_barcodes_are_read_by_a_scanner(
    profile: Profile, make: Callable[[Profile], Any], kind: str, content: str, function: str
) -> None:
    other = make(profile)
    other.barcode(content, kind, height=80, width=2, pos="OFF", function_type=function)
    other.cut()
    sheet = preview(other.output, profile)
    read = {code.data.decode() for code in decode(picture_of(sheet, profile))}
    digits = content.removeprefix("{B")

    assert any(digits in one or one in digits for one in read), (read, sheet.text)


@PROFILE
def test_a_qr_that_it_draws_itself_is_read_by_a_phone(
    profile: Profile, make: Callable[[Profile], Any]
) -> None:
    other = make(profile)
    other.qr("https://ejemplo.invalid/r/COA007-P1-000123-A", native=False, size=6)
    other.cut()
    sheet = preview(other.output, profile)

    assert [code.data for code in decode(picture_of(sheet, profile))] == [
        b"https://ejemplo.invalid/r/COA007-P1-000123-A"
    ]
    assert sheet.whole


@PROFILE
def test_spanish_written_by_it_reads_as_spanish_whatever_pages_it_chose(
    profile: Profile, make: Callable[[Profile], Any]
) -> None:
    line = "ÁÉÍÓÚÜÑ áéíóúüñ ¿¡ º ª $ €"
    other = make(profile)
    other.set(font="b")
    other.textln(line)
    other.cut()

    assert preview(other.output, profile).text.strip() == line
