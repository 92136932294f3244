"""Receipt lines to bytes: Spanish comes out right, and a citizen's words are never commands."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.printer import commands
from hardware.printer.escpos_lines import PaperTooRich, code128_data, render_lines
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.strip import ALPHABET, technician_strip
from hardware.printer.virtual_paper import preview
from municipio.receipts import Barcode, Line, Pair, Paper, PaperKind, Qr, Size, Space, Text

WIDE, NARROW = PROFILES["generic-80"], PROFILES["generic-58"]
BOTH = pytest.mark.parametrize("profile", [WIDE, NARROW], ids=lambda p: p.name)
SPANISH = "á é í ó ú ñ Ñ ü Ü ¿ ¡ $ Á É Í Ó Ú º ª"


def paper(*lines: Line) -> Paper:
    return Paper(PaperKind.FICHA, "", lines)


def shown(profile: Profile, *lines: Line) -> str:
    return preview(render_lines(paper(*lines), profile), profile).text


@BOTH
def test_spanish_comes_out_right_on_the_one_page_of_the_profile(profile: Profile) -> None:
    rendered = render_lines(paper(Text(SPANISH)), profile)

    assert " ".join(preview(rendered, profile).text.split()) == SPANISH
    assert commands.LEAVE_KANJI + commands.code_page(profile.page_slot) in rendered
    assert SPANISH.split(" $")[0].encode(profile.codec) in rendered


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_the_line_of_accents_is_right_on_every_profile(profile: Profile) -> None:
    """In the letters of its one page; where that has no € the whole line is drawn instead."""
    rendered = render_lines(paper(Text(ALPHABET)), profile)
    without = render_lines(paper(Text(ALPHABET.removesuffix(" €"))), profile)
    text = preview(rendered, profile).text.splitlines()

    assert preview(without, profile).text.splitlines()[0] == ALPHABET.removesuffix(" €")
    assert commands.LEAVE_KANJI + commands.code_page(profile.page_slot) in without
    assert profile.pages[profile.page_slot] == profile.codec
    assert text[0] == (ALPHABET if profile.name != "pos-58" else "[imagen]")


@BOTH
def test_letters_typed_in_two_parts_print_as_one(profile: Profile) -> None:
    apart = unicodedata.normalize("NFD", "Ñandú pingüino")

    assert "Ñandú pingüino" in shown(profile, Text(apart))


def test_only_the_line_that_no_page_can_write_is_drawn() -> None:
    text = shown(WIDE, Text("Español"), Text("Nɨmpɨ ꞌayapa"), Text("otra vez español"))

    assert text.splitlines()[:3] == ["Español", "[imagen]", "otra vez español"]


def test_the_page_is_said_again_after_a_picture_and_after_a_qr() -> None:
    rendered = render_lines(paper(Text("uno"), Text("ɨ"), Text("dos"), Qr("x"), Text("tres")), WIDE)

    assert rendered.count(commands.code_page(WIDE.page_slot)) == 3


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_what_a_citizen_types_never_becomes_a_command(typed: str) -> None:
    rendered = render_lines(paper(Text(typed), Pair("Calle", typed)), WIDE)
    names = {token.name for token in commands.Lexer().feed(rendered)}

    assert names <= {"ESC @", "ESC 3", "FS .", "ESC t", "text", "LF", "GS v", "ESC a", "GS V"}


def test_an_escape_sequence_in_a_report_prints_as_plain_letters() -> None:
    assert "@ V B" in " ".join(shown(WIDE, Text("\x1b@\x1dV B")).split())


@BOTH
def test_a_total_too_wide_for_double_size_is_printed_whole_in_normal_size(profile: Profile) -> None:
    total = "$ 999,999,999.99 moneda nacional"

    assert total in shown(profile, Pair("TOTAL", total, size=Size.LARGE))


@BOTH
def test_every_row_of_the_strip_fits_the_paper(profile: Profile) -> None:
    rendered = render_lines(technician_strip(profile), profile)
    sheet = preview(rendered, profile)

    assert sheet.whole
    assert len(sheet.codes) == 2
    assert all(item.x >= 0 for item in sheet.items)


def test_a_forty_line_receipt_with_a_qr_stays_under_two_and_a_half_kilobytes() -> None:
    lines: list[Line] = [Pair(f"Concepto número {n}", "1,245.00") for n in range(39)]
    code = "https://plaza.example/r/COA007-P1-000123-K.109560.20260120." + "A" * 86
    rendered = render_lines(paper(*lines, Qr(code, "Verifique este comprobante.")), WIDE)

    assert len(rendered) <= 2500


def test_no_command_is_split_between_two_chunks_and_the_cut_ends_the_last() -> None:
    rendered = render_lines(technician_strip(WIDE), WIDE)
    parts = commands.chunks(rendered, 1000)

    assert b"".join(parts) == rendered
    assert all(len(part) <= 1000 for part in parts)
    assert parts[-1].endswith(commands.PART_CUT)
    for part in parts:
        lexer = commands.Lexer()
        lexer.feed(part)
        assert lexer.waiting == 0


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ("0903900012341095602601319", b"{C\x09\x03\x5a\x00\x0c\x22\x0a\x5f\x3c\x1a\x01\x1f{B9"),
        ("AB12", b"{BAB12"),
        ("AB1234", b"{BAB{C\x0c\x22"),
        ("A{B", b"{BA{{B"),
    ],
)
def test_code_128_pairs_digits_where_it_pays(content: str, data: bytes) -> None:
    assert code128_data(content)[0] == data


@pytest.mark.parametrize("line", [Qr(""), Qr("x" * 900), Barcode("ñ"), Barcode("A" * 60)])
def test_a_code_that_the_paper_cannot_carry_is_the_builders_error(line: Line) -> None:
    with pytest.raises(PaperTooRich):
        render_lines(paper(line), NARROW)


def test_a_printer_without_qr_gets_it_drawn() -> None:
    old = Profile("vieja", "sin QR", 384, "cp858", 19, native_qr=False)
    rendered = render_lines(paper(Qr("hola"), Space()), old)

    assert b"\x1d(k" not in rendered
    assert b"\x1dv0" in rendered
