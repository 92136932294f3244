"""The node's clocks, and how far the wall clock can be believed.

synced: systemd-timesyncd left its mark since this boot, or the kernel says that the clock is
disciplined (STA_UNSYNC clear, adjtimex(2)). Otherwise floor: the later of the wall clock and the last
proof of time that the node holds (the city's signed acknowledgements, the file that timesyncd keeps
over restarts). A battery-backed clock is `rtc` only when the caller says that the board has one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
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

    `link_file` is the worker's link.json, whose `last_carried` is a proof of time. `quality` says how
    good the wall clock is (`quality_with`).
    """

    def __init__(
        self, link_file: Path | None = None, quality: Callable[[], TimeQuality] = system_quality
    ) -> None:
        self._link_file = link_file
        self._quality = quality
        self._boot = BOOT_ID.read_text(encoding="ascii").strip()
        self._known: tuple[float, TimeQuality, datetime] | None = None

    def now(self) -> Instant:
        boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        quality, floor = self._proof(boot_s)
        wall = datetime.now(UTC)
        if quality is TimeQuality.FLOOR:
            wall = max(wall, floor)
        return Instant(wall, quality, self._boot, int(boot_s * 1000))

    def _proof(self, boot_s: float) -> tuple[TimeQuality, datetime]:
        """Quality and floor, read again every half minute only."""
        if self._known is None or boot_s - self._known[0] > _PROOF_FOR_S:
            self._known = (boot_s, self._quality(), self._floor())
        return self._known[1], self._known[2]

    def _floor(self) -> datetime:
        proofs = [OLDEST]
        with contextlib.suppress(OSError):
            proofs.append(datetime.fromtimestamp(TIMESYNC_CLOCK.stat().st_mtime, UTC))
        if self._link_file is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                proofs.append(
                    parse_time(str(json.loads(self._link_file.read_bytes())["last_carried"]))
                )
        return max(proofs)
