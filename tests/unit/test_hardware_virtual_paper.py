"""The simulated printer reads what any program sends, and survives what nobody should."""

from __future__ import annotations

import io
import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyzbar.pyzbar import decode

from hardware.printer import commands, virtual_picture
from hardware.printer.commands import Lexer, Token
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.strip import technician_strip
from hardware.printer.virtual_paper import MAX_DOTS, MAX_ITEMS, VirtualPaper, preview
from municipio.receipts import Barcode, Qr

WIDE = PROFILES["generic-80"]
BOTH = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
HOSTILE = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b"\x1b", b"\x1d", b"\x10\x04", b"\x1d(k", b"\x1dv0\x00", b"\x1bd\xff"]),
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


def on_white(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("L")


@BOTH
def test_qr_and_barcode_of_a_paper_are_read_from_its_picture(profile: Profile) -> None:
    paper = technician_strip(profile)
    sheet = preview(render_lines(paper, profile), profile)
    found = {c.data.decode() for c in decode(on_white(virtual_picture.png(sheet, profile)))}

    assert found == {line.content for line in paper.lines if isinstance(line, Qr | Barcode)}


@BOTH
def test_no_ink_touches_the_edge_of_the_paper(profile: Profile) -> None:
    sheet = preview(render_lines(technician_strip(profile), profile), profile)
    picture = on_white(virtual_picture.png(sheet, profile))
    ink = picture.point(lambda grey: 255 if grey < 128 else 0).getbbox()

    assert ink is not None
    left, top, right, bottom = ink
    assert left > 40
    assert top > 40
    assert right < picture.width - 40
    assert bottom < picture.height - 100


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_hostile_bytes_neither_crash_it_nor_fill_its_memory(data: bytes) -> None:
    paper, lexer = VirtualPaper(WIDE), Lexer()
    for token in lexer.feed(data):
        paper.execute(token)

    assert lexer.waiting <= commands.MAX_COMMAND
    assert paper.used_dots <= MAX_DOTS + 255 * 500


def test_a_paper_without_end_is_cut() -> None:
    paper = VirtualPaper(WIDE)
    sheets = [s for _ in range(MAX_ITEMS) if (s := paper.execute(Token("ESC d", b"", b"\xff")))]
    paper.execute(Token("text", b"x"))
    endless = [paper.execute(Token("ESC d", b"", b"\xff")) for _ in range(10)]

    assert sheets == []
    assert any(endless)


@settings(max_examples=100, deadline=None)
@given(HOSTILE, st.integers(min_value=1, max_value=7))
def test_bytes_mean_the_same_whole_and_in_pieces(data: bytes, step: int) -> None:
    whole = Lexer().feed(data)
    pieces, lexer = [], Lexer()
    for at in range(0, len(data), step):
        pieces += lexer.feed(data[at : at + step])

    assert b"".join(t.raw for t in pieces) == b"".join(t.raw for t in whole)
    assert [t for t in pieces if t.name != "text"] == [t for t in whole if t.name != "text"]


def test_it_prints_what_another_library_writes() -> None:
    """python-escpos as an independent author of bytes."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = cache
        from escpos.printer import Dummy

        other = Dummy()
        other.charcode("CP858")
        other.set(align="center", bold=True)
        other.textln("Señal única")
        other.qr("https://ejemplo.invalid/x", native=True, size=6)
        other.barcode("{BABC123", "CODE128", function_type="B")
        other.cut()
        sheet = preview(other.output, WIDE)

    assert "Señal única" in sheet.text
    assert sheet.codes == ("https://ejemplo.invalid/x", "ABC123")
    assert sheet.whole
