"""The long collection waits for a quiet moment, but not for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from kiosk import collector


class Screen:
    """Something that only the collector can let go of."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _own_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    collector.keep_what_started()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def leave_a_screen() -> weakref.ref[Screen]:
    screen = Screen()
    gc.collect(1)  # it is older now than what a short collection looks at
    return weakref.ref(screen)


def test_what_was_left_goes_when_nobody_touches() -> None:
    left = leave_a_screen()
    collector.sweep(lambda: collector.QUIET_S + 1)
    assert left() is None


def test_a_finger_is_not_kept_waiting() -> None:
    left = leave_a_screen()
    collector.sweep(lambda: 0.0)
    assert left() is not None


def test_whoever_never_rests_does_not_fill_the_memory() -> None:
    left = [leave_a_screen() for _ in range(collector.MOST_WAITING + 1)]
    collector.sweep(lambda: 0.0)
    assert all(screen() is None for screen in left)


def test_without_anything_new_nothing_is_looked_for() -> None:
    gc.collect()
    before = gc.get_stats()[2]["collections"]
    collector.sweep(lambda: 100.0)
    assert gc.get_stats()[2]["collections"] == before
