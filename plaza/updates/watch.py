"""After every start: a version that was good is good at once; a new one is watched, and stays or goes."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from plaza.updates.health import LOOK_EVERY_S, Bad, Good, Judge, Look, Trial
from plaza.updates.rauc import RaucTrouble
from plaza.updates.state import State
from plaza.updates.updater import Did, NoWayBack, Updater

RAUC_TRIES = 30
"""RAUC itself may come up late; a start that is never called good counts against a good version."""


class Watched(StrEnum):
    WAS_GOOD = "was_good"
    GOOD = "good"
    LEAVING = "leaving"
    STAYS = "stays"
    """It does not serve well, and there is nothing to go back to."""
    DECIDED = "decided"
    """A person decided before the trial had ended."""


def watch(
    updater: Updater,
    trial: Trial,
    look: Callable[[], Look],
    somebody_pays: Callable[[], bool],
    wait: Callable[[float], None],
) -> Watched | RaucTrouble:
    """Runs until it is decided; `wait` sleeps. A payment under way is let end first."""
    journal = updater.started()
    for _ in range(RAUC_TRIES):
        if not isinstance(journal, RaucTrouble):
            break
        wait(LOOK_EVERY_S)
        journal = updater.started()
    if isinstance(journal, RaucTrouble):
        return journal
    if journal.state is State.LEAVING:
        done = updater.advance()
        return done if isinstance(done, RaucTrouble) else Watched.LEAVING
    if journal.state is not State.TRIAL:
        return Watched.WAS_GOOD
    first = look()
    judge, seen = Judge(trial, first.at_s), first
    while True:
        verdict = judge.see(seen)
        if isinstance(verdict, Good):
            kept = updater.found_good()
            return kept if isinstance(kept, RaucTrouble) else Watched.GOOD
        if isinstance(verdict, Bad) and not somebody_pays():
            return _leave(updater, verdict)
        wait(LOOK_EVERY_S)
        if not updater.is_judging():
            return Watched.DECIDED
        seen = look()


def _leave(updater: Updater, verdict: Bad) -> Watched | RaucTrouble:
    done = updater.found_bad(verdict.detail)
    if isinstance(done, RaucTrouble):
        return done
    if isinstance(done, NoWayBack):
        # A version that serves badly is better than none; the city hears of each part's trouble.
        kept = updater.found_good()
        return kept if isinstance(kept, RaucTrouble) else Watched.STAYS
    assert done is Did.STARTING, done
    return Watched.LEAVING
