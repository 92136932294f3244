"""`python -m kiosk --data DIR`: the citizen's screen of a node."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.theme import make_metrics, make_theme
from kiosk.window import WindowPlan, finish_picture, prepare
from municipio.settings import Settings, SettingsError
from sync.datadir import DataDir
from sync.notify import Supervisor, supervisor

PORTAL_ONLY = "portal"
"""The profile of a node without a screen (`node.profile`)."""


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m kiosk", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PLAZA_DATA"), metavar="DIR")
    parser.add_argument("--offscreen", action="store_true", help="draw without a display")
    parser.add_argument(
        "--fullscreen", action="store_true", help="own the whole screen; no way out"
    )
    parser.add_argument("--remote", type=Path, metavar="SOCKET", help="let a bench see and touch")
    parser.add_argument(
        "--large-text", action="store_true", help="the larger of the two text sizes"
    )
    parser.add_argument(
        "--has-screen", action="store_true", help="only say, by 0 or 1, if this node has a screen"
    )
    arguments = parser.parse_args(argv)
    if arguments.data is None:
        parser.error("--data DIR (or PLAZA_DATA) is needed")
    return arguments


def main(argv: list[str] | None = None) -> int:
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    data = DataDir(Path(arguments.data))
    try:
        settings = data.settings()
    except SettingsError as e:
        return _fail(str(e))
    if arguments.has_screen:
        return 1 if settings.text("node.profile") == PORTAL_ONLY else 0
    prepare(
        WindowPlan(
            settings.number("kiosk.width"), settings.number("kiosk.height"), data.run / "kivy",
            settings.text("kiosk.touch_provider"), arguments.offscreen, arguments.fullscreen,
        )
    )  # fmt: skip
    return run(data, settings, arguments)


def run(data: DataDir, settings: Settings, arguments: argparse.Namespace) -> int:
    """Build everything and run until the window closes or a signal says stop."""
    from kivy.core.window import Window

    if Window is None:
        return _fail("no window could be opened; without a display use --offscreen")
    if arguments.offscreen:
        Window.bind(on_flip=finish_picture)
    from kivy.clock import Clock

    from kiosk import collector
    from kiosk.app import KioskApp
    from kiosk.pulse import Pulse
    from kiosk.widgets import skin
    from kiosk.wiring import wire

    width, height = Window.size
    dpi = settings.number("kiosk.screen_dpi")
    metrics = make_metrics(width, height, dpi, large_text=arguments.large_text)
    theme = make_theme(metrics, settings.text("city.primary_color"))
    skin.use(theme)
    wired = wire(data, settings, _post(Clock))
    _note_renderer(data)
    for message in (*theme.messages, *wired.troubles):
        _say(message)
    server: list[Any] = []
    listener = supervisor()

    def ready() -> None:
        wired.warm_up()
        collector.keep_what_started()
        Clock.schedule_interval(lambda _: collector.sweep(app.quiet_s), collector.EVERY_S)
        if arguments.remote is not None:
            from kiosk.remote import RemoteControl, RemoteServer

            server.append(RemoteServer(arguments.remote, RemoteControl(app)))
            server[0].start()

        pulse.start()
        _beat(Clock, listener)

    app = KioskApp(wired.house, locked=arguments.fullscreen, on_ready=ready)
    pulse = Pulse(data, Window, Clock, app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: Clock.schedule_once(lambda _dt: app.stop()))
    app.run()
    for one in server:
        one.close()
    return 0


def _beat(clock: Any, listener: Supervisor) -> None:
    """Drawn and warm; from here on only a frame loop that turns keeps the supervisor calm."""
    listener.ready()
    if listener.beat_s:
        clock.schedule_interval(lambda _dt: listener.alive(), listener.beat_s)


def _post(clock: Any) -> Callable[[Callable[[], None]], None]:
    """Hands a callable to the main thread: the only way back from any other."""

    def post(work: Callable[[], None]) -> None:
        clock.schedule_once(lambda _dt: work())

    return post


def _note_renderer(data: DataDir) -> None:
    """A screen drawn in software is slow and hot: the node's health tells of it."""
    from kivy.graphics.opengl import GL_RENDERER, glGetString

    from kiosk.vitals_wiring import write_renderer

    name = glGetString(GL_RENDERER)
    try:
        write_renderer(data, name.decode(errors="replace") if isinstance(name, bytes) else "")
    except OSError as error:
        _say(f"gl_renderer: {error.strerror}")


def _say(message: str) -> None:
    sys.stderr.write(f"kiosk: {message}\n")


def _fail(message: str) -> int:
    _say(message)
    return 1


if __name__ == "__main__":
    sys.exit(main())
