"""A picture from a camera, made harmless: decoded within limits and written anew without any tag."""

from __future__ import annotations

import io
import warnings
from enum import StrEnum

from PIL import Image, ImageOps

from hardware.camera.limits import CLEAN_MAX, RAW_MAX, SIDE_MAX

_QUALITIES = (85, 70, 55, 40)


class PictureTrouble(StrEnum):
    NOT_A_PICTURE = "not_a_picture"
    TOO_BIG = "too_big"


def clean(raw: bytes) -> bytes | PictureTrouble:
    """The same picture as a JPEG of at most `CLEAN_MAX` bytes: no EXIF, no place, no thumbnail.

    Turned upright first, because the tag that says how to turn it does not stay.
    """
    if len(raw) > RAW_MAX:
        return PictureTrouble.TOO_BIG
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(raw), formats=("JPEG",)) as image:
                if max(image.size) > SIDE_MAX:
                    return PictureTrouble.TOO_BIG
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception:  # a decoder fed by a stranger may raise whatever it likes
        return PictureTrouble.NOT_A_PICTURE
    bare = Image.frombytes("RGB", upright.size, upright.tobytes())
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        bare.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= CLEAN_MAX:
            return buffer.getvalue()
    return PictureTrouble.TOO_BIG
