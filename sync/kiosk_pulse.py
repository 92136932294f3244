"""`DATA/now/kiosk.json`: the kiosk's sign of life, for programs that must not get in a citizen's way.

Written by the kiosk every PULSE_S from the thread that draws. `flips` counts pictures put on the glass; each
pulse asks for one, so a count that stands still is a screen that does not draw. A sign that is old or of
another boot says nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from municipio.clock import Instant
from sync.stick_files import read_plain
from sync.whole_file import replace_file

PULSE_S = 10.0
FRESH_S = 3 * PULSE_S


class KioskPulse(msgspec.Struct, frozen=True, kw_only=True):
    """`at_home`: the first screen is up, so nobody is in the middle of something."""

    boot: str
    boot_ms: int
    flips: int
    at_home: bool
    quiet_s: int
    """Whole seconds since the last touch."""


def write_pulse(path: Path, pulse: KioskPulse) -> None:
    """Replace the file whole. OSError when it cannot be kept."""
    replace_file(path, msgspec.json.encode(pulse) + b"\n")


def read_pulse(path: Path, now: Instant) -> KioskPulse | None:
    """The newest sign of this boot, None when there is none or it is old."""
    try:
        pulse = msgspec.json.decode(read_plain(path, 4096) or b"", type=KioskPulse)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    age_ms = now.boot_ms - pulse.boot_ms
    return pulse if pulse.boot == now.boot and 0 <= age_ms <= FRESH_S * 1000 else None
