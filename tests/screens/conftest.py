"""A real Kivy window without a display, and helpers that touch it as a finger does."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.gallery import load_words
from kiosk.language import Words
from kiosk.window import WindowPlan, prepare

SIZE = (1280, 800, 149)
# Test modules import widgets while they are collected, and Kivy reads its settings while imported.
HOME = Path(tempfile.mkdtemp(prefix="plaza-kivy-"))
prepare(WindowPlan(*SIZE[:2], HOME, offscreen=True, max_fps=0))


@pytest.fixture(scope="session")
def words() -> Words:
    return load_words()


@pytest.fixture(scope="session")
def window() -> Any:
    """The one window of this process; Kivy cannot open another."""
    from kivy.core.window import Window

    return Window


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a test leaves what it saw."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def touch(window: Any) -> Callable[[float, float], None]:
    """Press and release at window dots from the top left, through the event loop."""
    from kivy.base import EventLoop

    from kiosk.remote import press_at

    def press(x: float, y: float) -> None:
        press_at(x, y)
        for _ in range(4):
            EventLoop.idle()

    return press


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Run frames until something holds; fails after ten seconds."""
    from kivy.base import EventLoop

    def run(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end, "it did not happen in ten seconds"
            EventLoop.idle()

    return run
