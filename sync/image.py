"""Which image this node was started from: `/usr/lib/plaza/image.json`, written when the image is built."""

from __future__ import annotations

from pathlib import Path

import msgspec

IMAGE_FILE = Path("/usr/lib/plaza/image.json")


class ImageInfo(msgspec.Struct, frozen=True):
    """`built` is RFC 3339; `ledger_schema` the one that this image's programs write."""

    version: str
    board: str
    commit: str
    built: str
    packages_sha256: str
    ledger_schema: int


def read_image(path: Path = IMAGE_FILE) -> ImageInfo | None:
    """None on a host that no image made (Debian with `install.sh`), which has no slots."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ImageInfo)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
