"""What is left of a stranger's picture: its pixels, upright and small, or a plain reason."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from captive_portal.photo_verdict import MAX_INPUT, Verdict
from captive_portal.photo_worker import LONG_SIDE, MAX_OUTPUT, redraw

GPS = 0x8825
ORIENTATION, MAKER, SERIAL = 0x0112, 0x010F, 0xA431


def _picture(width: int, height: int, kind: str = "JPEG", **how: object) -> bytes:
    noise = Image.effect_noise((width // 16, height // 16), 80).resize((width, height))
    out = io.BytesIO()
    noise.convert("RGB").save(out, kind, **how)
    return out.getvalue()


def _with_secrets() -> bytes:
    exif = Image.Exif()
    exif[MAKER] = "Fabricante secreto"
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[2] = (18.0, 8.0, 7.0)
    return _picture(800, 600, exif=exif, comment=b"nota secreta", icc_profile=b"perfil secreto")


def _opened(jpeg: bytes | Verdict) -> Image.Image:
    assert isinstance(jpeg, bytes), jpeg
    return Image.open(io.BytesIO(jpeg), formats=("JPEG",))


def test_nothing_is_left_but_pixels_and_the_picture_stands_upright() -> None:
    made = redraw(_with_secrets())

    picture = _opened(made)
    assert picture.size == (600, 800), "orientation 6 is a quarter turn"
    assert dict(picture.getexif()) == {}
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert isinstance(made, bytes)
    assert b"secret" not in made
    assert b"Exif" not in made


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_becomes_small_in_points_and_bytes(kind: str) -> None:
    made = redraw(_picture(3000, 2000, kind))

    assert max(_opened(made).size) == LONG_SIDE
    assert isinstance(made, bytes)
    assert len(made) <= MAX_OUTPUT


def test_a_picture_of_pure_detail_gets_smaller_instead_of_being_refused() -> None:
    out = io.BytesIO()
    Image.effect_noise((2000, 1500), 80).convert("RGB").save(out, "JPEG")

    made = redraw(out.getvalue())

    assert 800 <= max(_opened(made).size) < LONG_SIDE
    assert isinstance(made, bytes)
    assert len(made) <= MAX_OUTPUT


def test_a_transparent_picture_gets_a_white_ground() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(out, "PNG")

    assert _opened(redraw(out.getvalue())).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_every_kind_of_pixels_becomes_a_plain_picture(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (50, 30)).save(out, "JPEG" if mode == "CMYK" else "PNG")

    assert _opened(redraw(out.getvalue())).size == (50, 30)


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 10_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(5000, 5000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert redraw(_bomb(*size)) is Verdict.TOO_LARGE


def test_too_many_bytes_are_not_even_looked_at() -> None:
    assert redraw(b"\xff\xd8" + b"\0" * MAX_INPUT) is Verdict.TOO_LARGE


@pytest.mark.parametrize(
    "raw",
    [b"", b"hola", b"\xff\xd8\xff", b"GIF89a" + b"\0" * 50, b"<svg xmlns='x'/>", b"%PDF-1.7"],
    ids=["nothing", "words", "a head", "gif", "svg", "pdf"],
)
def test_what_is_no_photo_is_said_to_be_none(raw: bytes) -> None:
    assert redraw(raw) is Verdict.NOT_A_PHOTO


def test_no_broken_picture_gets_past_the_worker_or_raises() -> None:
    """Seeded damage of three formats: every result is a clean JPEG or one of two reasons."""
    dice = random.Random(20260120)
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = _picture(160, 120, kind)
        for _ in range(60):
            broken = bytearray(whole[: dice.randrange(1, len(whole) + 1)])
            for _ in range(dice.randrange(1, 8)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            made = redraw(bytes(broken))
            assert isinstance(made, Verdict) or _opened(made).size[0] <= LONG_SIDE
