"""`python -m captive_portal.photo_worker`: a stranger's picture on stdin, a plain small JPEG on stdout.

Rule of this boundary: the bytes come from anybody's telephone, and decoders of pictures have had holes.
They are decoded only here, in a process of its own that lives for one picture, with limits on memory,
time and files, and nothing of it survives but pixels: no EXIF, no place, no maker, no thumbnail, no
second picture behind the first.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import Image, ImageOps

from captive_portal.photo_verdict import MAX_INPUT, Verdict

MAX_JPEG_PIXELS = 64_000_000
MAX_OTHER_PIXELS = 24_000_000
"""JPEG is decoded at an eighth to a half of its size; the others whole."""
MAX_OUTPUT = 400 * 1024
LONG_SIDE = 1600
"""Points of the longer side: a licence plate across a street can be read."""
MEMORY = 512 * 1024 * 1024
CPU_S = 15
_QUALITIES = (80, 65, 50)
_SMALLER_SIDES = (1600, 1200, 800)
"""Foliage and gravel do not fit at full size, and a smaller sharp picture says more than a blurred one."""
_FORMATS = ("JPEG", "PNG", "WEBP")


def redraw(raw: bytes) -> bytes | Verdict:
    """The same picture as an upright JPEG of at most `MAX_OUTPUT` bytes, or why there is none."""
    if len(raw) > MAX_INPUT:
        return Verdict.TOO_LARGE
    Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
    try:
        with Image.open(io.BytesIO(raw), formats=_FORMATS) as picture:
            most = MAX_JPEG_PIXELS if picture.format in ("JPEG", "MPO") else MAX_OTHER_PIXELS
            if picture.width * picture.height > most:
                return Verdict.TOO_LARGE
            picture.draft("RGB", (LONG_SIDE, LONG_SIDE))
            return _small_jpeg(_plain(picture))
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Verdict.TOO_LARGE
    except Exception:
        # Decoders raise whatever they like at broken bytes; to the sender it is one thing.
        return Verdict.NOT_A_PHOTO


def _plain(picture: Image.Image) -> Image.Image:
    """Upright, small, three channels, on a canvas that never held anything else."""
    picture.thumbnail((LONG_SIDE, LONG_SIDE))
    upright = ImageOps.exif_transpose(picture)
    clear = upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB")
    canvas = Image.new("RGB", clear.size, "white")
    canvas.paste(clear, mask=clear.getchannel("A") if clear.mode == "RGBA" else None)
    return canvas


def _small_jpeg(canvas: Image.Image) -> bytes | Verdict:
    for side in _SMALLER_SIDES:
        canvas.thumbnail((side, side))
        for quality in _QUALITIES:
            out = io.BytesIO()
            canvas.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= MAX_OUTPUT:
                return out.getvalue()
    return Verdict.TOO_LARGE


def _confine() -> None:
    """From here on: little memory, little time, no file grows, no core of a citizen's picture."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> int:
    """Exit code: a `Verdict`."""
    _confine()
    made = redraw(sys.stdin.buffer.read(MAX_INPUT + 1))
    if isinstance(made, Verdict):
        return made
    sys.stdout.buffer.write(made)
    return Verdict.OK


if __name__ == "__main__":
    sys.exit(main())
