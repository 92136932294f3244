"""How long a picture may take, how large it may be, and how the camera's process ends."""

from __future__ import annotations

from enum import IntEnum

CAPTURE_S = 8.0
RAW_MAX = 12_000_000
"""Bytes that the capture program may give."""
CLEAN_MAX = 1_500_000
"""Bytes of a picture that leaves the camera's process."""
SIDE_MAX = 4096
CPU_S = 20
MEMORY = 1_500_000_000
"""Seconds of computing and bytes of memory for decoding one picture."""


class Exit(IntEnum):
    """Codes below 10 are Python's own."""

    PICTURE = 0
    NO_PROGRAM = 10
    FAILED = 11
    TIMEOUT = 12
    TOO_BIG = 13
    NOT_A_PICTURE = 14
