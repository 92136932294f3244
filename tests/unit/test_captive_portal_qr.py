"""The QR of a code, drawn as a path: a reader finds the address in it."""

from __future__ import annotations

import re

import pytest
from PIL import Image, ImageDraw
from pyzbar.pyzbar import decode

from captive_portal.qr import QUIET, qr_path

SCALE = 6


@pytest.mark.parametrize(
    "address",
    ["http://10.66.0.1:8380/c/luna-mesa-tren-pato", "https://wifi.ejemplo.gob.mx/c/abanico-abeja-zorro-acero"],
)  # fmt: skip
def test_a_reader_finds_the_address(address: str) -> None:
    bars, size = qr_path(address)

    picture = Image.new("L", (size * SCALE, size * SCALE), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", bars):
        left, top = int(x) * SCALE, int(y) * SCALE
        draw.rectangle((left, top, left + int(width) * SCALE - 1, top + SCALE - 1), fill=0)

    assert [found.data.decode() for found in decode(picture)] == [address]
    assert len(bars) < 6000
    assert min(int(x) for x in re.findall(r"M(\d+)", bars)) == QUIET
