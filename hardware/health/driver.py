"""`NodeHealth`: a thread that looks at the node's body every second and tests its card every hour."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hardware.health.canary import CanaryResult, fly
from hardware.health.judge import Looked, judge
from hardware.health.readers import No, Space, Vitals, read_space, read_vitals, text
from hardware.health.state import Cause, Health
from municipio.clock import TimeQuality
from municipio.devices import DeviceState, DeviceStatus
from municipio.settings import Settings

LOOK_EVERY_S = 1.0
SLOW_EVERY_S = 10.0
"""Space, memory and the rest change slowly; under-voltage does not."""
CANARY_EVERY_S = 3600.0
CANARY_STUCK_S = 15.0
LOST_S = 5.0
LATCH_NAME = "undervoltage.json"
TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")


class UndervoltageLatch:
    """Remembers that the supply fell in this boot, over restarts of the program, in `folder`."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / LATCH_NAME
        self._boot = self._read()

    def see(self, boot: str, undervoltage: bool) -> bool:
        """True when this boot has ever seen it. Written once a boot, for the card's sake."""
        if undervoltage and boot != self._boot:
            self._boot = boot
            self._write(boot)
        return bool(boot) and self._boot == boot

    def _read(self) -> str:
        if self._file is None:
            return ""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(self._file.read_bytes())["boot"])
        return ""

    def _write(self, boot: str) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full card must not hide a weak supply
            fresh.write_text(json.dumps({"boot": boot}), encoding="utf-8")
            fresh.replace(self._file)


class CanaryCage:
    """The write-read test in a thread of its own: a dying card may hold it for minutes."""

    def __init__(
        self,
        folder: Path,
        every_s: float = CANARY_EVERY_S,
        test: Callable[[Path], CanaryResult] = fly,
    ) -> None:
        self._folder = folder
        self._test = test
        self._every_s = every_s
        self._began_at: float | None = None
        self._thread: threading.Thread | None = None
        self.result: CanaryResult | None = None

    def tick(self, now: float) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        if self._began_at is None or now - self._began_at >= self._every_s:
            self._began_at = now
            self._thread = threading.Thread(target=self._fly, name="canary", daemon=True)
            self._thread.start()

    def is_stuck(self, now: float) -> bool:
        alive = self._thread is not None and self._thread.is_alive()
        return alive and self._began_at is not None and now - self._began_at > CANARY_STUCK_S

    def _fly(self) -> None:
        self.result = self._test(self._folder)


class NodeHealth:
    """Health of the node that this program runs on, or of a tree under `root`.

    `data` is the data partition to watch and test (None: neither), `clock` says how good the time is,
    `renderer` what draws the screen ("" while nobody said).
    """

    def __init__(
        self,
        data: Path | None,
        *,
        clock: Callable[[], TimeQuality] | None = None,
        renderer: Callable[[], str] = lambda: "",
        root: Path = Path("/"),
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._data = data
        self._clock = clock
        self._renderer = renderer
        self._root = root
        self._look_every_s = look_every_s
        self._latch = UndervoltageLatch(None if data is None else _run_folder(data))
        self._cage = None if data is None else CanaryCage(data)
        self._slow_at: float | None = None
        self._space: Space | No | None = None
        self._quality: TimeQuality | None = None
        self._lock = threading.Lock()
        self._health: Health | None = None
        self._looked_at = time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def health(self) -> Health | None:
        """The newest whole look; None before the first and when looking itself has stopped."""
        with self._lock:
            lost = time.monotonic() - self._looked_at > LOST_S
            return None if lost else self._health

    def status(self) -> DeviceStatus:
        newest = self.health()
        if newest is not None:
            return newest.status
        with self._lock:
            if self._health is None and time.monotonic() - self._looked_at <= LOST_S:
                return DeviceStatus(DeviceState.STARTING)
        return DeviceStatus(DeviceState.UNKNOWN, Cause.NOT_READABLE.value)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.is_set():
            found = self._look(time.monotonic())
            with self._lock:
                self._health, self._looked_at = found, time.monotonic()
            self._closing.wait(self._look_every_s)

    def _look(self, now: float) -> Health:
        vitals = read_vitals(self._root)
        if self._slow_at is None or now - self._slow_at >= SLOW_EVERY_S:
            self._slow_at = now
            self._space = None if self._data is None else read_space(self._data)
            self._quality = None if self._clock is None else self._clock()
        if self._cage is not None:
            self._cage.tick(now)
        return judge(
            Looked(
                vitals=vitals,
                undervoltage_seen=self._latch.see(vitals.boot, _is_low(vitals)),
                space=self._space,
                canary=None if self._cage is None else self._cage.result,
                canary_is_stuck=self._cage is not None and self._cage.is_stuck(now),
                clock=self._quality,
                renderer=self._renderer(),
            )
        )


def _is_low(vitals: Vitals) -> bool:
    return isinstance(vitals.undervoltage, int) and vitals.undervoltage != 0


def _run_folder(data: Path) -> Path:
    """Where the data directory keeps what is about now; the directory itself before it has one."""
    run = data / "run"
    return run if run.is_dir() else data


def build_health(settings: Settings, data: Path | None = None) -> NodeHealth:
    """The health of this machine, for programs that own no better clock than the system's mark.

    `data` instead of the setting `health.data`. Whoever draws the screen leaves the name of its
    renderer in `run/gl_renderer` there.
    """
    folder = Path(settings.text("health.data")) if data is None else data
    rtc = settings.flag("node.rtc")

    def quality() -> TimeQuality:
        if TIMESYNC_MARK.exists():
            return TimeQuality.SYNCED
        return TimeQuality.RTC if rtc else TimeQuality.FLOOR

    return NodeHealth(
        folder, clock=quality, renderer=lambda: (text(folder / "run/gl_renderer") or "").strip()
    )
