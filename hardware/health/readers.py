"""Read a node's body from /sys and /proc under any root: figures only, no judgement.

Sources: the kernel's ABI documents for hwmon (`rpi_volt`), thermal, ext4, mmc. The under-voltage bit of
the Raspberry Pi firmware is read and cleared by its kernel driver, so that other ways to ask for it lie;
`in0_lcrit_alarm` is the one that is right.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

READ_MAX = 65_536


class No(Enum):
    """Why there is no figure."""

    SUCH_THING = auto()
    """This machine has nothing of the kind."""
    ANSWER = auto()
    """It has, and it cannot be read or makes no sense."""


Figure = int | No


@dataclass(frozen=True, slots=True)
class Space:
    """Of one file system; an inode count of 0 is a file system that makes them as needed."""

    free_bytes: int
    total_bytes: int
    free_inodes: int
    total_inodes: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a node. `wear_percent` is the used share of the worst flash, 110 beyond its life."""

    board: str
    boot: str
    undervoltage: Figure
    temperature_mc: Figure
    throttled: Figure
    ext4_errors: Figure
    wear_percent: Figure
    pre_eol: Figure
    memory_free_percent: Figure
    load_percent: Figure
    """Five-minute load per core; 100 is every core busy."""

    @property
    def is_pi(self) -> bool:
        return self.board.startswith("Raspberry Pi")


def read_vitals(root: Path = Path("/")) -> Vitals:
    return Vitals(
        board=(text(root / "proc/device-tree/model") or "").rstrip("\0 \n"),
        boot=(text(root / "proc/sys/kernel/random/boot_id") or "").strip(),
        undervoltage=_undervoltage(root),
        temperature_mc=_temperature(root),
        throttled=_throttled(root),
        ext4_errors=_worst(root / "sys/fs/ext4", "*/errors_count", sum_up=True),
        wear_percent=_wear(root),
        pre_eol=_worst(root / "sys/block", "mmcblk*/device/pre_eol_info"),
        memory_free_percent=_memory(root),
        load_percent=_load(root),
    )


def read_space(path: Path) -> Space | No:
    try:
        found = os.statvfs(path)
    except OSError:
        return No.ANSWER
    return Space(
        free_bytes=found.f_bavail * found.f_frsize,
        total_bytes=found.f_blocks * found.f_frsize,
        free_inodes=found.f_favail,
        total_inodes=found.f_files,
    )


def text(path: Path) -> str | None:
    """The beginning of a file, or None; never more than `READ_MAX` bytes."""
    try:
        with path.open("rb") as file:
            return file.read(READ_MAX).decode("utf-8", "replace")
    except OSError:
        return None


def number(path: Path) -> Figure:
    """One integer, decimal or `0x`."""
    if not path.exists():
        return No.SUCH_THING
    try:
        return int((text(path) or "").strip(), 0)
    except ValueError:
        return No.ANSWER


def _undervoltage(root: Path) -> Figure:
    for name in sorted(root.glob("sys/class/hwmon/hwmon*/name")):
        if (text(name) or "").strip() == "rpi_volt":
            return number(name.with_name("in0_lcrit_alarm"))
    return No.SUCH_THING


def _temperature(root: Path) -> Figure:
    return _worst(root / "sys/class/thermal", "thermal_zone*/temp")


def _throttled(root: Path) -> Figure:
    """How many processor cooling devices hold the clock back now."""
    devices = [
        name.with_name("cur_state")
        for name in sorted(root.glob("sys/class/thermal/cooling_device*/type"))
        if "cpufreq" in (text(name) or "")
    ]
    return _of_all([number(d) for d in devices], sum_up=True)


def _wear(root: Path) -> Figure:
    """eMMC tells two memories, each a count of tenths used; SD cards have no such file."""
    found: list[Figure] = []
    for path in sorted(root.glob("sys/block/mmcblk*/device/life_time")):
        try:
            tenths = [int(word, 0) for word in (text(path) or "").split()]
        except ValueError:
            tenths = []
        found.append(max(tenths) * 10 if tenths else No.ANSWER)
    return _of_all(found)


def _memory(root: Path) -> Figure:
    path = root / "proc/meminfo"
    if not path.exists():
        return No.SUCH_THING
    words = dict(
        line.split(":", 1) for line in (text(path) or "").splitlines() if line.count(":") == 1
    )
    try:
        free, total = (int(words[k].split()[0]) for k in ("MemAvailable", "MemTotal"))
        return free * 100 // total
    except (KeyError, ValueError, IndexError, ZeroDivisionError):
        return No.ANSWER


def _load(root: Path) -> Figure:
    path = root / "proc/loadavg"
    if not path.exists():
        return No.SUCH_THING
    try:
        five_minutes = float((text(path) or "").split()[1])
        return round(five_minutes * 100 / _cores(root))
    except (ValueError, IndexError, OverflowError):
        return No.ANSWER


def _cores(root: Path) -> int:
    cores = len(list(root.glob("sys/devices/system/cpu/cpu[0-9]*")))
    return cores or os.cpu_count() or 1


def _worst(folder: Path, pattern: str, *, sum_up: bool = False) -> Figure:
    return _of_all([number(path) for path in sorted(folder.glob(pattern))], sum_up=sum_up)


def _of_all(figures: list[Figure], *, sum_up: bool = False) -> Figure:
    """The greatest or the sum; one that cannot be read hides behind none that can."""
    known = [f for f in figures if isinstance(f, int)]
    if known:
        return sum(known) if sum_up else max(known)
    return No.ANSWER if figures else No.SUCH_THING
