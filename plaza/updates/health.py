"""Is a node serving? The rule by which a new version stays or goes: pure, over looks a few seconds apart.

Good means that every part was well at each look for so many minutes in a row. Being off line is healthy:
nothing here asks the city, because a node at an ejido has no link for weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOOK_EVERY_S = 10.0


class Part(StrEnum):
    KIOSK = "kiosk"
    """Puts pictures on the glass."""
    PORTAL = "portal"
    """Answers a phone at its own address."""
    LEDGER = "ledger"
    """Takes a write to the disk, and what it held before can be read."""
    PROGRAMS = "programs"
    """No program of the node was started again since the last look."""
    WATCHDOG = "watchdog"
    """The board's own, fed by systemd."""


class Health(StrEnum):
    WELL = "well"
    UNWELL = "unwell"
    ABSENT = "absent"
    """This node has no such part, by its profile or its board."""
    RESTING = "resting"
    """The node's energy has it switched off now: nothing can be said, and the trial stands still."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look; `at_s` on the monotonic clock. `said` explains parts that are not well."""

    at_s: float
    parts: dict[Part, Health]
    said: dict[Part, str]

    @property
    def is_well(self) -> bool:
        return Health.UNWELL not in self.parts.values()

    @property
    def rests(self) -> bool:
        return Health.RESTING in self.parts.values()


@dataclass(frozen=True, slots=True)
class Waiting:
    """`well_s` seconds in a row so far."""

    well_s: float


@dataclass(frozen=True, slots=True)
class Good:
    pass


@dataclass(frozen=True, slots=True)
class Bad:
    """`detail` names the parts that were not well at the last look, or that never stayed well."""

    detail: str


Verdict = Waiting | Good | Bad


@dataclass(frozen=True, slots=True)
class Trial:
    """How long a version must be well in a row, and by when; seconds since the trial began."""

    need_s: float
    limit_s: float


class Judge:
    """Takes looks in order and says what they come to."""

    def __init__(self, trial: Trial, began_s: float) -> None:
        self._trial = trial
        self._began_s = began_s
        self._well_since: float | None = None
        self._last_trouble: dict[str, str] = {}
        self._last_s = began_s

    def see(self, look: Look) -> Verdict:
        passed, self._last_s = look.at_s - self._last_s, look.at_s
        if look.rests:
            return self._stand_still(passed)
        if look.is_well:
            self._well_since = look.at_s if self._well_since is None else self._well_since
            well_s = look.at_s - self._well_since
            if well_s >= self._trial.need_s:
                return Good()
        else:
            self._well_since, well_s = None, 0.0
            self._last_trouble = {
                part.value: look.said.get(part, "")
                for part, health in look.parts.items() if health is Health.UNWELL
            }  # fmt: skip
        if look.at_s - self._began_s > self._trial.limit_s and not self._may_still(look):
            return Bad("; ".join(f"{p}: {why}" for p, why in self._last_trouble.items()))
        return Waiting(well_s)

    def _stand_still(self, seconds: float) -> Verdict:
        """At night a kiosk on the sun is off: what was seen before counts on when it draws again."""
        self._began_s += seconds
        if self._well_since is None:
            return Waiting(0.0)
        self._well_since += seconds
        return Waiting(self._last_s - self._well_since)

    def _may_still(self, look: Look) -> bool:
        """Past the limit only a run of well looks that began before it is waited for."""
        since = self._well_since
        return since is not None and since - self._began_s <= self._trial.limit_s
