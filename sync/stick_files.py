"""Reading and writing files of a USB stick: bounded, plain files only, whole or not at all.

What is on a stick was written by anybody. Names come from `municipio.wire.carrier`; links, devices and
files over their limit are as if they were not there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAX_FILES = 20_000


def read_plain(path: Path, limit: int) -> bytes | None:
    """The bytes of an ordinary file of at most `limit` bytes; None for anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            raw = file.read(limit + 1)
        except OSError:
            return None
    return raw if len(raw) <= limit else None


def plain_names(folder: Path) -> Iterator[str]:
    """Names of ordinary files in a folder that is no link, at most MAX_FILES, in order of name."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            for entry in os.scandir(folder):
                if entry.is_file(follow_symlinks=False) and len(names) < MAX_FILES:
                    names.append(entry.name)
    yield from sorted(names)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name, put it on the stick, then give it its name. OSError comes out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
