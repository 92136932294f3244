"""Kivy and SDL set up before Kivy is imported: one window, one touch provider, no way out.

Call `prepare` first in a program; importing anything of Kivy before it is an error, because Kivy reads
its environment and configuration while it is being imported.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROVIDERS = {
    "mouse": "mouse,disable_multitouch",
    "hidinput": "probesysfs,provider=hidinput",
    "mtdev": "probesysfs,provider=mtdev",
}
"""The setting's word to Kivy's spelling. Exactly one is configured: two deliver each touch twice."""


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What the window must be. `home` is Kivy's own folder, not the user's."""

    width: int
    height: int
    home: Path
    touch_provider: str = "mouse"
    offscreen: bool = False
    fullscreen: bool = False
    max_fps: int = 60
    """0: as fast as it goes, for pictures and tests."""


def prepare(plan: WindowPlan) -> None:
    """Fix environment and configuration; the window itself opens when `kivy.core.window` is imported."""
    if "kivy" in sys.modules:
        raise RuntimeError("kiosk.window.prepare must run before kivy is imported")
    plan.home.mkdir(parents=True, exist_ok=True)
    for name in [n for n in os.environ if n.startswith(("KIVY_", "KCFG_"))]:
        del os.environ[name]
    os.environ |= {
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONFIG": "1",
        "KIVY_NO_ENV_CONFIG": "1",
        "KIVY_NO_FILELOG": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_LOG_MODE": "PYTHON",
        "KIVY_HOME": str(plan.home),
        "KIVY_WINDOW": "sdl2",
        "KIVY_TEXT": "sdl2",
        "KIVY_IMAGE": "sdl2",
        "KIVY_CLIPBOARD": "dummy",
        "KIVY_SPELLING": "",
        "KIVY_METRICS_DENSITY": "1",
        "KIVY_METRICS_FONTSCALE": "1",
        "KIVY_DPI": "96",
    }
    if plan.offscreen:
        os.environ["SDL_VIDEODRIVER"] = "offscreen"
    _configure(plan)


def finish_picture(*_: Any) -> None:
    """Bind to `on_flip` of a window without a display: there, putting a picture up asks Mesa for nothing.

    What was to be drawn would wait in memory, six megabytes a picture, for a drawer that may never keep up.
    """
    from kivy.graphics.opengl import glFinish

    glFinish()


def _configure(plan: WindowPlan) -> None:
    from kivy.config import Config

    graphics = {
        "width": plan.width,
        "height": plan.height,
        "multisamples": 0,
        "maxfps": plan.max_fps,
        "vsync": 0 if plan.offscreen else 1,
        "resizable": 0,
        "borderless": int(plan.fullscreen),
        "fullscreen": "auto" if plan.fullscreen else 0,
        "show_cursor": int(plan.touch_provider == "mouse"),
        "verify_gl_main_thread": 1,
        "allow_screensaver": 0,
    }
    kivy = {
        "exit_on_escape": 0,
        "pause_on_minimize": 0,
        "keyboard_mode": "",
        "log_enable": 0,
        "log_level": "warning",
    }
    for section, values in (("graphics", graphics), ("kivy", kivy)):
        for key, value in values.items():
            Config.set(section, key, str(value))
    for name in ("input", "modules"):
        Config.remove_section(name)
        Config.add_section(name)
    Config.set("input", "touch", _PROVIDERS[plan.touch_provider])
    # A press that stays still is a press: no double-tap, no delay before a scroll view lets go.
    Config.set("widgets", "scroll_distance", "24")
    Config.set("widgets", "scroll_timeout", "120")
