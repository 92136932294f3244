"""When Python may look for garbage: a long collection takes a tenth of a second, which a finger feels.

What a start builds lives for ever and is taken out of every collection; after that only short
collections come by themselves, and the long one waits for a moment in which nobody touches. It does not
wait for ever: each screen that was left holds some megabytes of drawn text until then.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

EVERY_S, QUIET_S = 1.0, 1.5
MOST_WAITING = 4
"""Middle collections since the last long one; a screen costs one or two."""
_NEVER = 1_000_000


def keep_what_started() -> None:
    """Call once the first screen is drawn."""
    gc.collect()
    gc.freeze()
    young, middle, _old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def sweep(quiet_s: Callable[[], float]) -> None:
    """The long collection, if nobody has touched for QUIET_S or too much waits. Call every EVERY_S."""
    waiting = gc.get_count()[2]
    if waiting > MOST_WAITING or (waiting and quiet_s() > QUIET_S):
        # Kivy's callbacks go in the first, and what only they still held in the second.
        gc.collect()
        gc.collect()
