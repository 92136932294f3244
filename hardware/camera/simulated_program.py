"""The program of a camera that is not there: `simulated_program.py MOOD_FILE WIDTH HEIGHT`.

It draws a test picture with a place in its tags, so that whoever keeps them is found out.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw

NOTE = "Calle de prueba 1 (demostracion)"
_GPS, _MAKER, _DESCRIPTION, _TURN = 0x8825, 0x010F, 0x010E, 0x0112


def draw_picture(width: int, height: int) -> bytes:
    """Colour bars and a face that looks up."""
    image = Image.new("RGB", (width, height), "#0B4F8A")
    draw = ImageDraw.Draw(image)
    for at, colour in enumerate(("white", "yellow", "cyan", "green", "magenta", "red")):
        draw.rectangle((at * width // 6, 0, (at + 1) * width // 6, height // 3), fill=colour)
    x, y, r = width // 2, height * 2 // 3, height // 5
    draw.ellipse((x - r, y - r, x + r, y + r), fill="#F2C79B")
    for eye in (x - r // 3, x + r // 3):
        draw.ellipse((eye - r // 10, y - r // 3, eye + r // 10, y - r // 8), fill="black")
    draw.arc((x - r // 2, y - r // 4, x + r // 2, y + r // 2), 20, 160, fill="black", width=4)
    tags = Image.Exif()
    tags[_MAKER], tags[_DESCRIPTION], tags[_TURN] = "Plaza", NOTE, 1
    tags[_GPS] = {1: "N", 2: (18.0, 8.0, 0.0), 3: "W", 4: (94.0, 25.0, 0.0)}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, exif=tags)
    return buffer.getvalue()


def draw_dark(width: int, height: int) -> bytes:
    """What a covered lens sees."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#0C0A09").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def main(mood_file: str, width: int, height: int) -> int:
    try:
        mood = Path(mood_file).read_text().strip()
    except OSError:
        return 1
    out = sys.stdout.buffer
    if mood == "hang":
        time.sleep(3600)
    if mood == "fail":
        return 255
    if mood == "flood":
        while True:
            out.write(b"\xff\xd8" + b"x" * 65536)
    out.write(_shot(mood, width, height))
    return 0


def _shot(mood: str, width: int, height: int) -> bytes:
    match mood:
        case "garbage":
            return b"no camera was found\n"
        case "truncated":
            picture = draw_picture(width, height)
            return picture[: len(picture) // 3]
        case "huge":
            return draw_picture(5000, 200)
        case "covered":
            return draw_dark(width, height)
        case "empty":
            return b""
    return draw_picture(width, height)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
