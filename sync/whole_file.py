"""Small files of a data directory, replaced whole: a reader sees the old content or the new, never half."""

from __future__ import annotations

import os
from pathlib import Path

from sync.sharing import settle_file


def replace_file(path: Path, content: bytes) -> None:
    """For signs of life, which are written all the time: a power cut may take the newest. OSError."""
    part = _part(path)
    part.write_bytes(content)
    settle_file(part)
    part.replace(path)


def keep_file(path: Path, content: bytes) -> None:
    """On the disk, name and all, before this returns. OSError leaves the old one in force."""
    part = _part(path)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        settle_file(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk when this returns. OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
