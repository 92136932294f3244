"""How much energy a node has, in five words, steady enough to be told. Pure; nothing is decided here.

A word falls as soon as the charge is below its line and rises only `RISE_POINTS` above it, after
`STEADY_S`: a cloud is not news.
"""

from __future__ import annotations

from enum import StrEnum

from hardware.power.state import Confidence, PowerState

RISE_POINTS = 2
STEADY_S = 600.0
FALL_S = 10.0


class Level(StrEnum):
    FULL = "full"
    SAVE = "save"
    RESERVE = "reserve"
    GUARD = "guard"
    UNKNOWN = "unknown"


FROM_PERCENT = ((Level.FULL, 60), (Level.SAVE, 35), (Level.RESERVE, 15), (Level.GUARD, 0))
"""The least charge of each level, highest first."""

_RANK = {level: rank for rank, (level, _) in enumerate(FROM_PERCENT)}


def level_of(power: PowerState, before: Level) -> Level:
    """`before` is the level that held: it is left upwards only with some points to spare."""
    soc = power.soc_percent
    if soc is None or power.confidence is Confidence.UNKNOWN:
        return Level.UNKNOWN
    for level, least in FROM_PERCENT:
        rises = before in _RANK and _RANK[level] < _RANK[before]
        if soc >= least + (RISE_POINTS if rises else 0):
            return level
    return Level.GUARD


class LevelWatch:
    """Show it every reading; it answers with the level when that is to be told."""

    def __init__(self) -> None:
        self.told = Level.UNKNOWN
        self._seen: Level | None = None
        self._since = 0.0
        self._never = True

    def see(self, power: PowerState, now: float) -> Level | None:
        level = level_of(power, self.told)
        if level is not self._seen:
            self._seen, self._since = level, now
        rises = level in _RANK and self.told in _RANK and _RANK[level] < _RANK[self.told]
        wait_s = STEADY_S if rises and not self._never else FALL_S
        if (level is self.told and not self._never) or now - self._since < wait_s:
            return None
        self.told, self._never = level, False
        return level
