"""The programs that may take a picture, and the arguments each is given. Nothing else is ever run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

SIZES = range(160, 4097)
Argv = Callable[[str, str, int, int], tuple[str, ...]]


def _libcamera(name: str) -> Argv:
    def argv(folder: str, port: str, width: int, height: int) -> tuple[str, ...]:
        size = ("--width", str(width), "--height", str(height))
        options = ("--nopreview", "--immediate", "--encoding", "jpg", "--quality", "90")
        return (f"{folder}/{name}", *options, *size, "--output", "-")

    return argv


def _fswebcam(folder: str, port: str, width: int, height: int) -> tuple[str, ...]:
    size = ("-r", f"{width}x{height}")
    return (f"{folder}/fswebcam", "-q", "-d", port, *size, "--no-banner", "--jpeg", "90", "-")


def _simulator(folder: str, port: str, width: int, height: int) -> tuple[str, ...]:
    """`port` is the file with the simulated camera's mood."""
    program = str(Path(__file__).with_name("simulated_program.py"))
    return (sys.executable, "-P", program, port, str(width), str(height))


PROGRAMS: dict[str, Argv] = {
    "rpicam-still": _libcamera("rpicam-still"),
    "libcamera-still": _libcamera("libcamera-still"),
    "fswebcam": _fswebcam,
    "simulator": _simulator,
}


def is_port(port: str) -> bool:
    """A path that cannot be taken for an option."""
    return port.startswith("/") and port.isprintable()


def is_installed(folder: str, program: str) -> bool:
    """Whether the program is where it would be run."""
    return program == "simulator" or (Path(folder) / program).is_file()
