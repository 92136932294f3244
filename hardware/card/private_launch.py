"""`python -m hardware.card.private_launch RUN PROGRAM ARG...`: become PROGRAM, with /run being RUN.

A mount namespace of its own; for a user who is not root inside a user namespace. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000


def main(arguments: list[str]) -> None:
    """Replaces this process; OSError when the kernel refuses."""
    run, program, *rest = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(_NEWNS if user == 0 else _NEWNS | _NEWUSER))
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    _check(libc.mount(b"none", b"/", None, _REC | _PRIVATE, None))
    _check(libc.mount(run.encode(), b"/run", None, _BIND, None))
    os.execv(program, [program, *rest])  # noqa: S606 - an argv list, no shell


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    main(sys.argv[1:])
