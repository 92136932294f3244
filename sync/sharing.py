"""Modes of files in a data directory: private, or shared with the group of the node's programs.

On a node each program has its own user and the data directory is set-group-ID to their group; on a
desk one user runs everything. A file takes after the directory that it is in, whatever the umask.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def is_shared(folder: Path) -> bool:
    """True when files in `folder` belong to a group whose programs work together."""
    with contextlib.suppress(OSError):
        return bool(folder.stat().st_mode & stat.S_ISGID)
    return False


def file_mode(folder: Path) -> int:
    """0660 or 0600."""
    return 0o660 if is_shared(folder) else 0o600


def settle_file(path: Path, mode: int | None = None) -> None:
    """Give a file that was just made its mode; one that another user made stays as it is."""
    with contextlib.suppress(PermissionError, FileNotFoundError):
        path.chmod(file_mode(path.parent) if mode is None else mode)


def make_folder(folder: Path) -> None:
    """Make a folder that takes after its parent; one that is there stays as it is."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        settle_file(folder, 0o2770 if is_shared(folder.parent) else 0o700)


def open_shared(path: Path, flags: int) -> int:
    """`os.open` of a file that takes after its folder. OSError comes out."""
    mode = file_mode(path.parent)
    made = not path.exists()
    handle = os.open(path, flags | os.O_CLOEXEC, mode)
    if made:
        with contextlib.suppress(PermissionError):
            os.fchmod(handle, mode)
    return handle
