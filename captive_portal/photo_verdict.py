"""What the portal and its picture worker say to each other; the portal itself loads no decoder."""

from __future__ import annotations

from enum import IntEnum

MAX_INPUT = 12 * 1024 * 1024
"""Bytes of a picture as a telephone sends it: 50 megapixels of a good camera fit."""


class Verdict(IntEnum):
    """The exit codes. Anything else (a signal, too) is a decoder that failed."""

    OK = 0
    NOT_A_PHOTO = 3
    TOO_LARGE = 4
