"""When Python may look for garbage: a long collection takes a tenth of a second, which a finger feels.

What a start builds lives for ever and is taken out of every collection; after that only short
collections come by themselves, and the long one waits until nobody has touched for a while.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

EVERY_S, QUIET_S = 20.0, 4.0
_NEVER = 1_000_000


def keep_what_started() -> None:
    """Call once the first screen is drawn."""
    gc.collect()
    gc.freeze()
    young, middle, _old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def sweep(quiet_s: Callable[[], float]) -> None:
    """The long collection, if nobody has touched for QUIET_S seconds. Call every EVERY_S."""
    if quiet_s() > QUIET_S:
        gc.collect()
