"""`python -m kiosk.gallery --out DIR`: pictures of every screen, in both languages and three screen sizes.

Screens are drawn from the real presenters over simulators, offscreen, by the same frame that the kiosk uses.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.background import InlineBackground
from kiosk.flow import Idle, IdlePhase, Screen
from kiosk.gallery_city import large_world
from kiosk.gallery_scenes import SCENES, Scene
from kiosk.language import ENGLISH, SPANISH, Words, untranslated
from kiosk.presenters.frame import HeaderPresenter, IdlePresenter
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.theme import make_metrics, make_theme
from kiosk.window import WindowPlan, prepare

SIZES = ((1280, 800, 149), (1024, 600, 118), (1080, 1920, 102))
FRAMES = 4
"""Frames until a new screen's layout has settled."""


class Studio:
    """A window with a stage in it, for drawing views without a running application.

    `size` is width, height and dots per inch; `prepare` must have been called. A size other than the
    window's is laid out whole, but only what the window covers is in a picture.
    """

    def __init__(self, size: tuple[int, int, int], words: Words) -> None:
        from kivy.base import EventLoop
        from kivy.core.window import Window

        from kiosk.screens.frame import Stage
        from kiosk.widgets import skin
        from kiosk.widgets.touch import TouchGuard

        skin.use(make_theme(make_metrics(*size)))
        self.window, self._loop = Window, EventLoop
        self._words = words
        Window.clearcolor = skin.color("paper")
        self.size = size[:2]
        self.stage = Stage(words, TouchGuard(), lambda: None)
        self.stage.size_hint = (None, None)
        self.stage.size = self.size
        Window.add_widget(self.stage)
        if EventLoop.status != "started":
            EventLoop.start()

    def close(self) -> None:
        self.window.remove_widget(self.stage)

    def frames(self, count: int = FRAMES) -> None:
        for _ in range(count):
            self._loop.idle()

    def draw(self, kiosk: SimulatedKiosk) -> None:
        """Draw the view that is up, with the header that goes with it, on a body of its own."""
        from kiosk.screens.base import build_body

        serves = kiosk.screen is not Screen.FUERA_DE_SERVICIO
        header = HeaderPresenter(
            self._words, InlineBackground(), kiosk.settings, kiosk.world.link, serves=serves
        )
        header.tick(0)
        self.stage.drop_overlay(swallow=False)
        self.stage.frame.show_header(header.view)
        self.stage.frame.show(build_body(kiosk.screen, kiosk.tap), kiosk.view, kiosk.tap)
        self.frames()

    def ask_idle(self) -> None:
        """Lay the idle question over what is drawn."""
        from kiosk.screens.base import dress_button
        from kiosk.widgets.overlay import Question

        idle = IdlePresenter(self._words, lambda: None, lambda: None)
        idle.show(Idle(IdlePhase.WARNING, 18))
        question = Question("hand")
        question.title.text, question.sentence.text = idle.view.title, idle.view.text
        dress_button(question.yes, idle.view.stay)
        dress_button(question.no, idle.view.finish)
        self.stage.raise_overlay(question)
        self.frames()

    def picture(self) -> bytes:
        from kiosk.remote import encode_png, read_frame

        return encode_png(read_frame())


def load_words() -> Words:
    """The real catalogues when they are there, else the Spanish texts."""
    from kiosk import catalogues

    try:
        return catalogues.load_words((SPANISH, ENGLISH))
    except OSError:
        return untranslated()


def play(scene: Scene, words: Words, code: str) -> SimulatedKiosk:
    """A fresh kiosk brought to a scene, speaking `code`."""
    words.reset()
    kiosk = SimulatedKiosk(large_world(), words=words)
    words.switch(code)
    scene.play(kiosk)
    return kiosk


def paint(out: Path, size: tuple[int, int, int], say: Callable[[str], Any]) -> None:
    """Every scene in both languages into `out/<width>x<height>/<language>/`."""
    words = load_words()
    studio = Studio(size, words)
    for code in (SPANISH, ENGLISH):
        folder = out / f"{size[0]}x{size[1]}" / code
        folder.mkdir(parents=True, exist_ok=True)
        for number, scene in enumerate(SCENES, 1):
            studio.draw(play(scene, words, code))
            (folder / f"{number:02d}-{scene.name}.png").write_bytes(studio.picture())
        studio.ask_idle()
        (folder / f"{len(SCENES) + 1:02d}-sigue-aqui.png").write_bytes(studio.picture())
        say(f"{folder}: {len(SCENES) + 1} pictures\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kiosk.gallery", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--size", metavar="WxH@DPI", help="only this screen, e.g. 1024x600@118")
    arguments = parser.parse_args(argv)
    if arguments.size is None:
        # One window per process: Kivy's cannot change its pixels' meaning once it is open.
        for width, height, dpi in SIZES:
            size = f"--size={width}x{height}@{dpi}"
            command = [sys.executable, "-m", "kiosk.gallery", f"--out={arguments.out}", size]
            if subprocess.run(command, check=False).returncode != 0:
                return 1
        return 0
    width, height, dpi = (int(n) for n in arguments.size.replace("@", "x").split("x"))
    with tempfile.TemporaryDirectory(prefix="plaza-gallery-") as home:
        prepare(WindowPlan(width, height, Path(home), offscreen=True, max_fps=0))
        paint(arguments.out, (width, height, dpi), sys.stdout.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
