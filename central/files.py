"""Small files of the city on the disk: whole or not at all, and there when the call returns."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def keep_file(path: Path, content: bytes) -> None:
    """Replace a file; its folder is made. OSError leaves the old one in force, and no scrap."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        write_synced(part, content)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that nobody looks for yet. OSError."""
    _fill(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666), content)


def write_private(path: Path, content: bytes) -> None:
    """Created with 0600 from the first byte; never overwrites: FileExistsError, OSError."""
    _fill(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), content)


def sync_folder(path: Path) -> None:
    """A folder's names are on the disk when this returns. OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fill(handle: int, content: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
