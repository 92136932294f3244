"""Whole papers on every profile, byte for byte and as pictures.

After a wanted change: `PLAZA_GOLDEN=write .venv/bin/pytest tests/golden`, look at the pictures in
`tests/golden/receipts`, and commit them with the change.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from pyzbar.pyzbar import decode

from hardware.printer import virtual_picture
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES, Profile
from hardware.printer.strip import technician_strip
from hardware.printer.virtual_paper import Sheet, preview
from municipio import papers
from municipio.liquidacion import Liquidacion, LiquidacionRow
from municipio.payments import PaymentMethod
from municipio.receipts import Barcode, Paper, Qr
from municipio.settings import parse_settings

GOLDEN = Path(__file__).parent / "receipts"
WRITE = os.environ.get("PLAZA_GOLDEN") == "write"
SETTINGS = parse_settings({})
AT = datetime(2026, 1, 20, 16, 42, tzinfo=UTC)
CLAVE = "0620000101023005000007"
ROW = LiquidacionRow(
    year=2026,
    tax_centavos=124500,
    adicional_centavos=12450,
    factor="1.0000",
    update_centavos=0,
    months=0,
    surcharge_centavos=0,
    discount_centavos=27390,
    subtotal_centavos=109560,
)
LIQUIDACION = Liquidacion(
    id="L-2026-000123",
    clave=CLAVE,
    issued_on=date(2026, 1, 20),
    valid_until=date(2026, 1, 31),
    rows=(ROW,),
    total_centavos=109560,
    benefit="",
    perfil="demo",
    benefit_label="Descuento enero 20 %",
)
CODE = (
    "COA007-P1-000123-A.109560.20260120." + "Qm9sZXRhIGRlIHBydWViYSBkZSBsYSBmaXJtYSBkaWdpdGFs" * 2
)


def spanish(text: str) -> str:
    return text


def recibo(profile: Profile) -> Paper:
    return papers.recibo(
        SETTINGS,
        spanish,
        folio="COA007-P1-000123-A",
        paid_at=AT,
        clave=CLAVE,
        owner_masked="M. L. H.",
        concepts=papers.concepts_of(LIQUIDACION, spanish),
        amount_centavos=109560,
        method=PaymentMethod.CARD,
        authorization="123456",
        card_last4="4242",
        security_chain=papers.cadena_de_seguridad(CODE),
        verify_url=papers.verification_url(SETTINGS, CODE),
    )


def pase_de_caja(profile: Profile) -> Paper:
    references = papers.make_pase_references(
        SETTINGS, "0390001234", LIQUIDACION.total_centavos, LIQUIDACION.valid_until
    )
    return papers.pase_de_caja(
        SETTINGS,
        spanish,
        folio="COA007-P1-000124-8",
        issued_at=AT,
        liquidacion=LIQUIDACION,
        owner_masked="M. L. H.",
        references=references,
        follow_url=papers.follow_url(SETTINGS, "COA007-P1-000124-8"),
    )


def tira(profile: Profile) -> Paper:
    return technician_strip(profile)


PAPERS = pytest.mark.parametrize("build", [recibo, pase_de_caja, tira], ids=lambda b: b.__name__)
WIDTHS = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)


def kept(name: str, content: bytes) -> bytes:
    """The golden content, after writing it when asked to."""
    path = GOLDEN / name
    if WRITE:
        path.write_bytes(content)
    return path.read_bytes()


def picture_of(sheet: Sheet, profile: Profile) -> Image.Image:
    """Grey on white at one pixel per dot: what a person sees, without the last detail."""
    drawn = Image.open(io.BytesIO(virtual_picture.png(sheet, profile))).convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("L")
    return on_white.resize((drawn.width // 2, drawn.height // 2), Image.Resampling.BOX)


@PAPERS
@WIDTHS
def test_the_bytes_are_these(build: Callable[[Profile], Paper], profile: Profile) -> None:
    rendered = render_lines(build(profile), profile)

    assert rendered == kept(f"{build.__name__}-{profile.name}.bin", rendered)


@PAPERS
@WIDTHS
def test_the_words_are_these(build: Callable[[Profile], Paper], profile: Profile) -> None:
    text = preview(render_lines(build(profile), profile), profile).text

    assert text == kept(f"{build.__name__}-{profile.name}.txt", text.encode()).decode()


@PAPERS
@WIDTHS
def test_it_looks_like_this(build: Callable[[Profile], Paper], profile: Profile) -> None:
    drawn = picture_of(preview(render_lines(build(profile), profile), profile), profile)
    buffer = io.BytesIO()
    drawn.quantize(8).save(buffer, "PNG", optimize=True)
    golden = Image.open(
        io.BytesIO(kept(f"{build.__name__}-{profile.name}.png", buffer.getvalue()))
    ).convert("L")

    assert drawn.size == golden.size
    difference = ImageChops.difference(drawn, golden).histogram()
    far_off = sum(difference[96:]) / (drawn.width * drawn.height)
    assert far_off < 0.002, "more than a change of the font renderer"


@PAPERS
@WIDTHS
def test_every_code_on_it_is_read_back(build: Callable[[Profile], Paper], profile: Profile) -> None:
    paper = build(profile)
    sheet = preview(render_lines(paper, profile), profile)
    wanted = {line.content for line in paper.lines if isinstance(line, Qr | Barcode)}
    found = {code.data.decode() for code in decode(picture_of(sheet, profile))}

    assert found == wanted


def test_a_receipt_of_forty_lines_stays_under_two_and_a_half_kilobytes() -> None:
    assert len(render_lines(recibo(PROFILES["generic-80"]), PROFILES["generic-80"])) <= 2500
