"""The node's clocks, and how far the wall clock can be believed.

synced: systemd-timesyncd left its mark since this boot, or the kernel says that the clock is
disciplined (STA_UNSYNC clear, adjtimex(2)). Otherwise floor: the later of the wall clock and the last
proof of time that the node holds (the city's signed acknowledgements and heartbeats, its own newest
trusted fact, the file that timesyncd keeps over restarts), plus what has passed since in this boot.
A battery-backed clock is `rtc` only when the caller says that the board has one. A proof is a lower
bound and never more: an old answer of the city, played again, cannot take trust from a right clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from municipio.clock import Instant, TimeQuality
from municipio.facts import parse_time

TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")
TIMESYNC_CLOCK = Path("/var/lib/systemd/timesync/clock")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
DOUBT = "PLAZA_CLOCK_UNSURE"
"""Set in the environment, nothing proves the clock: practice for a cold boot. It can only lower trust."""
OLDEST = datetime(2026, 1, 1, tzinfo=UTC)
"""No node ever ran before this day, whatever its clock says."""

TOLERANCE = timedelta(minutes=2)
"""A synced clock may be this much behind the city's without being doubted."""

_STA_UNSYNC = 0x0040
_PROOF_FOR_S = 30.0


def kernel_is_synced() -> bool:
    """True when the kernel's clock is disciplined. adjtimex(2) with modes 0 only reads."""

    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_byte * 512),
        )

    timex = Timex()
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.adjtimex(ctypes.byref(timex))) >= 0 and not timex.status & _STA_UNSYNC


def system_quality() -> TimeQuality:
    """`synced` or `floor`, as the operating system says now."""
    if os.environ.get(DOUBT):
        return TimeQuality.FLOOR
    if TIMESYNC_MARK.exists() or kernel_is_synced():
        return TimeQuality.SYNCED
    return TimeQuality.FLOOR


def quality_with(rtc: bool) -> Callable[[], TimeQuality]:
    """How to judge the wall clock of a board; `rtc` is the setting `node.rtc`."""

    def with_battery() -> TimeQuality:
        quality = system_quality()
        return TimeQuality.RTC if quality is TimeQuality.FLOOR else quality

    return with_battery if rtc else system_quality


class SystemClock:
    """Implements `municipio.clock.Clock`.

    `link_file` is the worker's link.json, which holds the newest time that the city has signed.
    `quality` says how good the wall clock is (`quality_with`). A wall clock that is behind a proof of
    time is not believed, whatever says that it is synced: the proof, and what has passed since, is.
    """

    def __init__(
        self, link_file: Path | None = None, quality: Callable[[], TimeQuality] = system_quality
    ) -> None:
        self._link_file = link_file
        self._quality = quality
        self._boot = BOOT_ID.read_text(encoding="ascii").strip()
        self._known: tuple[float, TimeQuality] | None = None
        self._floor: tuple[float, datetime] = (_boot_s(), OLDEST)
        """A moment of this boot, and the time that it surely was then or later."""

    def now(self) -> Instant:
        boot_s = _boot_s()
        if self._known is None or not 0 <= boot_s - self._known[0] <= _PROOF_FOR_S:
            self._known = (boot_s, self._quality())
            self.raise_floor(self._proof())
        quality = self._known[1]
        since, floor = self._floor
        floor += timedelta(seconds=max(0.0, boot_s - since))
        wall = datetime.now(UTC)
        if wall < floor:
            if floor - wall > TOLERANCE:
                quality = TimeQuality.FLOOR
            wall = floor
        return Instant(wall, quality, self._boot, int(boot_s * 1000))

    def raise_floor(self, proof: datetime) -> None:
        """It is `proof` now or later. Earlier proofs change nothing."""
        boot_s = _boot_s()
        since, floor = self._floor
        if proof > floor + timedelta(seconds=max(0.0, boot_s - since)):
            self._floor = (boot_s, proof)

    def _proof(self) -> datetime:
        """The newest time that the files prove."""
        proofs = [OLDEST]
        with contextlib.suppress(OSError, OverflowError, ValueError):
            proofs.append(datetime.fromtimestamp(TIMESYNC_CLOCK.stat().st_mtime, UTC))
        if self._link_file is not None:
            with contextlib.suppress(OSError, ValueError):
                document = json.loads(self._link_file.read_bytes())
                for name in ("last_carried", "city_time") if isinstance(document, dict) else ():
                    with contextlib.suppress(ValueError):
                        proofs.append(parse_time(str(document.get(name, ""))))
        return max(proofs)


def _boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
