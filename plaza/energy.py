"""The band a node may spend in, from what its charge controller says. Pure; time comes as an argument.

A band falls as soon as the charge stays under its line for `FALL_S`, or at once when the voltage says
that the controller is about to cut. It rises one band at a time, only with `RISE_POINTS` to spare,
after the surplus lasted `STEADY_S` and the band in force is `DWELL_S` old. Guard is left only ten points
above its line, and only while the battery takes charge: a tired battery that rests shows a fine voltage
and no energy, and a node that wakes too early falls asleep again, which costs more than it gains. One that
falls back into guard soon after it left waits twice as long the next time.

A silent controller is `save`. Silence proves nothing, so it never raises a band that was lower until
`SILENT_HOLD_S` have passed; then the node serves in `save`, because a broken cable is no reason to
sleep for ever: what the battery cannot give, the controller's own cut takes, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from hardware.power.level import FALL_S, FROM_PERCENT, RISE_POINTS, STEADY_S, Level
from hardware.power.soc import blocks_of_12v
from hardware.power.state import Cause, Confidence, PowerState
from municipio.energy import Band, is_below, lower

DWELL_S = 1800.0
RELAPSE_S = 2 * 3600.0
"""Guard again within so long is a relapse."""
DOUBLINGS = 2
"""A relapse doubles the dwell in guard, so often at most."""
SILENT_HOLD_S = 6 * 3600.0
GUARD_RISE_POINTS = 10
"""From 15 % to 25 %: what owners of solar Pis ended with, after nodes that woke only to go down."""
LAST_MV = {"agm": 11_400, "lifepo4": 11_800}
"""Under load, of a 12 V battery: a third of a volt before controllers cut (11.1 and 11.5 V)."""
AT_ONCE = frozenset({Cause.BATTERY_LOW, Cause.LOAD_OFF})
"""The controller itself says that it is about to cut, or that it has cut."""

LINES: tuple[tuple[Band, int], ...] = tuple(
    (Band(level.value), least) for level, least in FROM_PERCENT if level is not Level.UNKNOWN
)
"""The least charge of each band in percent, highest first: the lines that `hardware.power.level` tells."""

BANDS: tuple[Band, ...] = tuple(band for band, _ in LINES)


class Why(StrEnum):
    """Why a band is in force; told on screens and in facts."""

    CHARGE = "charge"
    SILENT = "silent"
    """The controller says nothing, or nothing that can be believed."""
    LAST_VOLTAGE = "last_voltage"
    FAILING = "failing"
    """The battery collapses under load: what it says about its charge is not believed."""
    HELD = "held"
    """Silent, and lower than save before that."""
    START = "start"


@dataclass(frozen=True, slots=True)
class Sample:
    """What the controller says at one moment."""

    power: PowerState
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A band in force and what is remembered to change it. All times in seconds of one monotonic clock."""

    band: Band
    why: Why
    since: float
    falls_since: float | None = None
    rises_since: float | None = None
    silent_since: float | None = None
    left_guard: float | None = None
    relapses: int = 0


def begin(now: float) -> Held:
    """Nothing is known at start: save, and free to rise as soon as the controller says so."""
    return Held(Band.SAVE, Why.START, now - DWELL_S)


def wanted(sample: Sample, before: Held, battery: str) -> tuple[Band, Why]:
    """The band that this reading asks for, without waiting. `battery` is the setting `power.battery`."""
    power = sample.power
    if power.confidence is Confidence.UNKNOWN or power.soc_percent is None:
        return (Band.SAVE, Why.SILENT)
    if sample.cause in AT_ONCE or _is_last(power, battery):
        return (Band.GUARD, Why.LAST_VOLTAGE)
    band = _by_charge(power.soc_percent, before.band)
    if sample.cause is Cause.BATTERY_FAILING:
        return (lower(band, Band.RESERVE), Why.FAILING)
    return (band, Why.CHARGE)


def step(before: Held, sample: Sample, now: float, battery: str = "agm") -> Held:
    """The band after one reading. Call it every second or so; it is right at any pace."""
    band, why = wanted(sample, before, battery)
    if why is Why.SILENT:
        return _silent(before, now)
    heard = replace(before, silent_since=None)
    if is_below(band, before.band):
        return _fall(heard, band, why, now)
    if is_below(before.band, band):
        return _rise(heard, sample, why, now)
    return replace(heard, why=why, falls_since=None, rises_since=None)


def _fall(before: Held, band: Band, why: Why, now: float) -> Held:
    since = now if before.falls_since is None else before.falls_since
    if why is Why.LAST_VOLTAGE or now - since >= FALL_S:
        return replace(_turned(before, band, why, now), relapses=_relapses(before, band, now))
    return replace(before, falls_since=since, rises_since=None)


def _rise(before: Held, sample: Sample, why: Why, now: float) -> Held:
    guarded = before.band is Band.GUARD
    if guarded and not _takes_charge(sample.power):
        return replace(before, why=why, rises_since=None, falls_since=None)
    since = now if before.rises_since is None else before.rises_since
    steady = now - since >= (0 if before.why is Why.START else STEADY_S)
    dwell_s = DWELL_S * 2**before.relapses if guarded else DWELL_S
    if steady and now - before.since >= dwell_s:
        up = _turned(before, _next_up(before.band), why, now)
        return replace(up, left_guard=now) if guarded else up
    return replace(before, rises_since=since, falls_since=None)


def _silent(before: Held, now: float) -> Held:
    since = now if before.silent_since is None else before.silent_since
    quiet = replace(before, silent_since=since, falls_since=None, rises_since=None)
    if is_below(before.band, Band.SAVE):
        if now - since < SILENT_HOLD_S:
            return replace(quiet, why=Why.HELD)
        return replace(_turned(before, Band.SAVE, Why.SILENT, now), silent_since=since)
    if before.band is Band.SAVE:
        return quiet if before.why is Why.START else replace(quiet, why=Why.SILENT)
    waits = now - since < FALL_S
    if waits:
        return quiet
    return replace(_turned(before, Band.SAVE, Why.SILENT, now), silent_since=since)


def _turned(before: Held, band: Band, why: Why, now: float) -> Held:
    """Another band; what is remembered of guard stays."""
    return Held(band, why, now, left_guard=before.left_guard, relapses=before.relapses)


def _relapses(before: Held, band: Band, now: float) -> int:
    if band is not Band.GUARD:
        return before.relapses
    soon = before.left_guard is not None and now - before.left_guard < RELAPSE_S
    return min(DOUBLINGS, before.relapses + 1) if soon else 0


def _takes_charge(power: PowerState) -> bool:
    """True too where the controller does not state the current: then the points to spare decide."""
    return power.battery_ma is None or power.battery_ma > 0


def _by_charge(soc_percent: int, before: Band) -> Band:
    for band, least in LINES:
        spare = 0
        if is_below(before, band):
            spare = GUARD_RISE_POINTS if before is Band.GUARD else RISE_POINTS
        if soc_percent >= least + spare:
            return band
    return Band.GUARD


def _next_up(band: Band) -> Band:
    return BANDS[max(0, BANDS.index(band) - 1)]


def _is_last(power: PowerState, battery: str) -> bool:
    if power.battery_mv is None:
        return False
    blocks = blocks_of_12v(power.battery_mv)
    return blocks is not None and power.battery_mv // blocks <= LAST_MV[battery]
