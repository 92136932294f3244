"""One step of a node's energy: from what is seen to what is switched. Pure.

The program on the node and the simulated month call this same function, so that what a month shows is
what a node does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from municipio.energy import Band, EnergyNote, Wake
from plaza.energy import Held, Sample, Why, begin, step
from plaza.energy_plan import Action, Arm, Halt, Hours, Wanted, changes, wanted_now
from plaza.energy_wake import ALARM_S, PATIENCE_S, Phase, Proof, Seen, Watch, stay, watch
from plaza.quiet import Busy

DAYLIGHT_W = 2
"""From a panel that is worth waiting for, also under clouds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site's settings say; `proof` is what this node has shown of its wake path."""

    wake: Wake = Wake.NONE
    hours: Hours = field(default_factory=Hours)
    battery: str = "agm"
    proof: Proof = field(default_factory=Proof)


@dataclass(frozen=True, slots=True)
class Known:
    """One look. `boot_s` counts from the boot; `local` is None while the hour is not sure."""

    sample: Sample
    boot_s: float
    local: datetime | None = None
    busy: Busy | None = None
    waiting: int = 0
    link_up: bool = False


@dataclass(frozen=True, slots=True)
class Mind:
    """What is remembered from one look to the next. `wanted` None: nobody knows what is switched."""

    held: Held
    watch: Watch = field(default_factory=Watch)
    wanted: Wanted | None = None
    closing_since: float | None = None
    """Since when the screen should be dark and is lit for somebody who is being served."""


def wake_up(boot_s: float, before: EnergyNote | None, boot: str) -> Mind:
    """The mind of a program that starts; one that died in this boot goes on where it was."""
    if before is None or before.boot != boot or before.why not in set(Why):
        return Mind(begin(boot_s))
    return Mind(Held(before.band, Why(before.why), before.since_boot_ms / 1000))


def think(mind: Mind, known: Known, rules: Rules) -> tuple[Mind, tuple[Action, ...]]:
    """The next state, and what to do for it in order. A `Halt` follows its `Arm`: if that fails, `stayed`."""
    held = step(mind.held, known.sample, known.boot_s, rules.battery)
    solar_w = known.sample.power.solar_w
    seen = Seen(
        in_guard=held.band is Band.GUARD,
        busy=known.busy,
        waiting=known.waiting,
        link_up=known.link_up,
        by_day=(solar_w is None or solar_w >= DAYLIGHT_W),
        about_to_cut=held.why is Why.LAST_VOLTAGE,
        now=known.boot_s,
    )
    where = watch(mind.watch, seen, rules.wake, rules.proof)
    wanted = wanted_now(
        held.band,
        rules.hours,
        known.local,
        known.boot_s,
        letting_go=where.phase is Phase.LETTING_GO,
    )
    wanted, closing_since = _let_finish(mind, wanted, seen)
    actions = changes(mind.wanted, wanted)
    if where.phase is Phase.HALTING:
        actions = (*actions, *_last(rules.wake))
    return Mind(held, where, wanted, closing_since), actions


def _let_finish(mind: Mind, wanted: Wanted, seen: Seen) -> tuple[Wanted, float | None]:
    """The screen of somebody who is being served stays as it is, for a while, whatever turns it off."""
    before = mind.wanted
    if before is None or not before.kiosk or wanted.kiosk or seen.busy is None or seen.about_to_cut:
        return wanted, None
    since = seen.now if mind.closing_since is None else mind.closing_since
    if seen.now - since >= PATIENCE_S[seen.busy]:
        return wanted, since
    return replace(wanted, kiosk=True, screen_percent=before.screen_percent), since


def stayed(mind: Mind, now: float) -> Mind:
    """The alarm was not there when it was read back: the node stays awake."""
    return replace(mind, watch=stay(mind.watch, now))


def _last(wake: Wake) -> tuple[Action, ...]:
    return (Arm(ALARM_S), Halt()) if wake is Wake.RTC_ALARM else (Halt(),)
