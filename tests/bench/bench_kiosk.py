"""How fast the kiosk is: start to a usable home, touch to swapped frame, key to results, memory.

Each figure comes from a process of its own that starts like a kiosk without a display, on a fresh data
directory. A touch is timed from its press in the event loop to the return of the buffer swap.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZE = (1280, 800, 149)


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        return measure(Path(sys.argv[2]), float(sys.argv[3]))
    with tempfile.TemporaryDirectory(prefix="plaza-bench-") as home:
        data = Path(home)
        subprocess.run([sys.executable, "-c", MAKE_NODE, home], check=True)
        command = [sys.executable, __file__, "--measure", str(data)]
        # The first run fills the disk cache; a kiosk starts from a warm one only after a crash.
        subprocess.run([*command, repr(time.time())], stdout=subprocess.DEVNULL, check=True)
        return subprocess.run([*command, repr(time.time())], check=False).returncode


MAKE_NODE = """
import sys
from pathlib import Path
from sync.datadir import DataDir
from sync.keys import NodeKey
data = DataDir(Path(sys.argv[1]))
data.create()
NodeKey.create(data)
"""


def say(what: str, value: float, unit: str, goal: str = "") -> None:
    print(json.dumps({"what": what, "value": round(value, 2), "unit": unit, "goal": goal}))


def measure(data: Path, started: float) -> int:
    """The child: a real kiosk whose frames are run here, one by one."""
    from kiosk.theme import make_metrics, make_theme
    from kiosk.window import WindowPlan, prepare
    from sync.datadir import DataDir

    folder = DataDir(data)
    prepare(WindowPlan(*SIZE[:2], folder.run / "kivy", offscreen=True))
    from kivy.base import EventLoop
    from kivy.clock import Clock
    from kivy.core.window import Window

    from kiosk import collector
    from kiosk.app import KioskApp
    from kiosk.widgets import skin
    from kiosk.wiring import wire

    skin.use(make_theme(make_metrics(*SIZE)))
    wired = wire(folder, folder.settings(), lambda work: Clock.schedule_once(lambda _: work()))
    app = KioskApp(wired.house, locked=False)
    Window.add_widget(app.build())
    EventLoop.start()
    EventLoop.idle()
    say("kiosk: process start -> usable home drawn", time.time() - started, "s", "<= 1.5")
    collector.keep_what_started()
    heavy = sum(name in sys.modules for name in ("escpos", "sqlite_utils", "httpx2", "qrcode"))
    say("kiosk: heavy libraries imported before home", heavy, "of 4", "0")
    report_touches(app)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    say("kiosk: resident memory", pages * os.sysconf("SC_PAGE_SIZE") / 2**20, "MiB")
    return 0


def report_touches(app: object) -> None:
    """Open and leave screens, then type, timing each act to the swap that shows it."""
    screens = ("home.tramites", "home.predial", "home.reporte", "home.mas")
    first = [touch(app, key) for key in screens for key in (key, "bar.back")]
    again = [touch(app, key) for _ in range(3) for s in screens for key in (s, "bar.back")]
    say("kiosk: touch -> swapped frame, first visits", percentile(first), "ms p95", "")
    say("kiosk: touch -> swapped frame", percentile(again), "ms p95", "<= 60")
    touch(app, "home.tramites")
    touch(app, "tramites.search")
    keys = [touch(app, f"key.{c}") for c in "actanacimientolice"]
    say("kiosk: key -> swapped frame while searching", percentile(keys), "ms p95", "<= 70")


def touch(app: object, key: str) -> float:
    """Milliseconds from the release of a finger to the swapped frame in which its act is drawn."""
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from kiosk.remote import RemoteTouch
    from kiosk.widgets.inventory import visible_targets

    time.sleep(0.21)  # two acts on one target are at least 0.4 s apart
    for _ in range(3):
        EventLoop.idle()
    box = {t.id: t.visible for t in visible_targets(app.stage, Window.size)}[key]  # type: ignore[attr-defined]  # a KioskApp
    spot = (box.x + box.w / 2) / SIZE[0], 1 - (box.y + box.h / 2) / SIZE[1]
    finger = RemoteTouch("bench", key, spot)
    EventLoop.post_dispatch_input("begin", finger)
    EventLoop.idle()
    # The clock's pacing (60 frames a second) is part of what a person waits for.
    start = time.perf_counter()
    EventLoop.post_dispatch_input("end", finger)
    EventLoop.idle()
    return (time.perf_counter() - start) * 1000


def percentile(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


if __name__ == "__main__":
    sys.exit(main())
