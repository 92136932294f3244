"""A simulated month of a solar node: sky, battery and controller in small steps, and the node's own mind.

Nothing of the policy is written again here: each minute `plaza.energy_mind.think` is given what the
controller's own protocol would say of the plant, and its actions are what the node draws next. Time is
simulated and everything follows from the seed. Facts go to a `Memory`: a counter, or the real ledger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from hardware.power.far_words import mppt_fields
from hardware.power.soc import power_state
from hardware.power.sun import SolarPlant, Truth, Weather
from hardware.power.victron import reading
from municipio.energy import Band, Wake
from plaza.energy import Sample
from plaza.energy_mind import Known, Mind, Rules, think, wake_up
from plaza.energy_plan import Action, Arm, Halt, Hours, hours_of
from plaza.energy_site import Site, drawn_w, halted_w
from plaza.energy_wake import Phase, halting, returned

FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)
"""As read from a clock at the place; no zone changes in a simulated month."""
DAY_MIN = 24 * 60
STEP_MIN = 1
KEEP_EVERY_MIN = 20
BOOT_MIN = 2
TIMER_OFF_H, TIMER_ON_H = 2.0, 6.5
"""When a timer, the controller's or one aside, takes the current away each night and returns it."""
OPEN_HOURS = Hours(
    radio=hours_of("06:00-23:00"),
    kiosk=hours_of("06:00-22:00"),
)
PEOPLE_PER_HOUR = 2.0
CHANCES: dict[str, dict[Weather, tuple[float, float, float]]] = {
    "sunny": {"clear": (0.92, 0.08, 0.0), "cloudy": (0.8, 0.2, 0.0), "storm": (0.8, 0.2, 0.0)},
    "mixed": {"clear": (0.7, 0.25, 0.05), "cloudy": (0.3, 0.5, 0.2), "storm": (0.2, 0.5, 0.3)},
    "rainy": {"clear": (0.3, 0.5, 0.2), "cloudy": (0.1, 0.6, 0.3), "storm": (0.05, 0.45, 0.5)},
}
"""Of each day's sky after the day before: clear, cloudy, storm. A norte or a tropical wave lasts days."""
SUNSHINE_W = 40
"""From the panel of the default site: more than twice what a node draws with everything on."""
SKIES: tuple[Weather, ...] = ("clear", "cloudy", "storm")


class Memory(Protocol):
    """Where a simulated node keeps its facts."""

    def record(self, minute: int) -> None: ...

    def cut(self) -> None:
        """The power went in the middle of whatever was being done."""
        ...


class Power(StrEnum):
    ON = "on"
    BOOTING = "booting"
    HALTED = "halted"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Moment:
    """One point of the chart. `soc` is the truth, `said` what the node believes; percent."""

    minute: int
    soc: int
    said: int | None
    band: Band | None
    kiosk: bool
    radio: bool
    power: Power
    solar_w: int
    load_w: float


@dataclass(frozen=True, slots=True)
class Event:
    minute: int
    what: str


@dataclass
class Month:
    """What happened. Hours are floats; counts are counts."""

    days: int
    sky: tuple[Weather, ...]
    moments: list[Moment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    kiosk_by_day: list[float] = field(default_factory=list)
    """Hours of each day, within opening hours."""
    radio_by_day: list[float] = field(default_factory=list)
    facts_by_day: list[int] = field(default_factory=list)
    open_h: float = 0.0
    """Hours in which the site means to have its kiosk open."""
    dark_h: float = 0.0
    """Longest stretch of full sunshine, in opening hours and with current on the output, without service."""
    halted_h: float = 0.0
    """Longest stretch halted."""
    rises: list[float] = field(default_factory=list)
    """Minutes between a rise of band and the one before, in one boot."""
    cuts: int = 0
    cuts_serving: int = 0
    """Cuts that found the node at work: its facts are safe, its people were surprised."""
    halts: int = 0
    returns_before_cut: int = 0
    """Guard was left because the sun came, with no cut since it began."""

    def __post_init__(self) -> None:
        self.kiosk_by_day = [0.0] * self.days
        self.radio_by_day = [0.0] * self.days
        self.facts_by_day = [0] * self.days

    @property
    def kiosk_h(self) -> float:
        return sum(self.kiosk_by_day)

    @property
    def radio_h(self) -> float:
        return sum(self.radio_by_day)

    @property
    def facts(self) -> int:
        return sum(self.facts_by_day)


@dataclass(frozen=True, slots=True)
class Setting:
    """`wake_is`: what the hardware really does, where it is not what the site declared."""

    days: int = 30
    weather: str = "mixed"
    failing: bool = False
    seed: int = 1
    site: Site = field(default_factory=Site)
    rules: Rules = field(default_factory=lambda: Rules(hours=OPEN_HOURS))
    wake_is: Wake | None = None


def simulate(setting: Setting, memory: Memory) -> Month:
    return _Street(setting, memory).run()


def sky_of(weather: str, days: int, seed: int) -> tuple[Weather, ...]:
    """The same for the same seed. The day of the scripted morning is clear."""
    chance = random.Random(f"{weather} {seed}")  # noqa: S311  a sky needs no secrets
    sky: list[Weather] = []
    today: Weather = "clear" if weather != "rainy" else "cloudy"
    for day in range(days):
        today = chance.choices(SKIES, CHANCES[weather][today])[0]
        sky.append("clear" if day == scripted_day(days) else today)
    return tuple(sky)


def scripted_day(days: int) -> int:
    """Before this dawn the battery stands just above the cut, whatever came before."""
    return days * 2 // 3


class _Street:
    """The plant and the node in it, minute by minute."""

    def __init__(self, setting: Setting, memory: Memory) -> None:
        self._do = setting
        self._memory = memory
        self._rules = setting.rules
        self._wake_is = setting.wake_is or setting.rules.wake
        site = setting.site
        self._plant = SolarPlant(
            panel_w=site.panel_wp * site.performance,
            capacity_ah=site.battery_wh / 12,
            soc=site.soc,
            hour=0.0,
            seed=setting.seed,
        )
        if setting.failing:
            self._plant.fade(0.45)
        self._people = random.Random(setting.seed)  # noqa: S311  people need no secrets
        self._month = Month(setting.days, sky_of(setting.weather, setting.days, setting.seed))
        self._power, self._since = Power.BOOTING, 0
        self._boot = self._boot_at = 0
        self._alarm: int | None = None
        self._mind = wake_up(0.0, None, "")
        self._dark = self._rose_at = 0
        self._cut_in_guard = False

    def run(self) -> Month:
        for minute in range(0, self._do.days * DAY_MIN, STEP_MIN):
            self._world(minute)
            truth = self._plant.truth()
            self._supply(minute, truth)
            said = self._node(minute, truth) if self._power is Power.ON else None
            self._count(minute, truth, said)
        return self._month

    # --- the world ----------------------------------------------------------------------------

    def _world(self, minute: int) -> None:
        day, hour = divmod(minute / 60, 24)
        plant = self._plant
        if minute % DAY_MIN == 0:
            plant.weather = self._month.sky[int(day)]
        if int(day) == scripted_day(self._do.days) and hour == 4.0:
            plant.soc = 0.12
            self._tell(minute, "guion: la batería amanece al 12 %")
        if self._do.failing and minute == self._do.days * DAY_MIN // 2:
            plant.break_battery()
            self._tell(minute, "se daña una celda de la batería")
        timer = self._wake_is in (Wake.CONTROLLER_TIMER, Wake.EXTERNAL_TIMER)
        plant.load_wanted = not (timer and TIMER_OFF_H <= hour < TIMER_ON_H)
        plant.load_w = self._drawn()
        plant.advance(STEP_MIN / 60)

    def _drawn(self) -> float:
        loads = self._do.site.loads
        if self._power is Power.HALTED:
            return halted_w(loads)
        return drawn_w(self._mind.wanted, loads, booting=self._power is not Power.ON)

    def _supply(self, minute: int, truth: Truth) -> None:
        """Current on the output or not, alarms, and the minutes that a boot takes."""
        if not truth.load_on:
            if self._power is not Power.CUT:
                self._cut(minute)
        elif self._power is Power.CUT:
            self._turn(minute, Power.BOOTING)
        elif self._power is Power.HALTED:
            if self._alarm is not None and minute >= self._alarm:
                self._turn(minute, Power.BOOTING)
        elif self._power is Power.BOOTING and minute - self._since >= BOOT_MIN:
            self._turn(minute, Power.ON)
            self._boot, self._boot_at = self._boot + 1, minute
            self._mind, self._rose_at = wake_up(0.0, None, ""), minute - DAY_MIN
            proof = returned(self._rules.proof, f"b{self._boot}")
            self._rules = replace(self._rules, proof=proof)

    def _cut(self, minute: int) -> None:
        serving = self._power is Power.ON and self._mind.watch.phase is Phase.SERVING
        self._turn(minute, Power.CUT)
        self._month.cuts += 1
        self._month.cuts_serving += serving
        self._cut_in_guard = True
        self._memory.cut()
        self._tell(minute, "se corta la salida" + (" con el nodo trabajando" if serving else ""))

    def _turn(self, minute: int, power: Power) -> None:
        if self._power is Power.HALTED:
            self._halted_until(minute)
        self._power, self._since = power, minute

    # --- the node -----------------------------------------------------------------------------

    def _node(self, minute: int, truth: Truth) -> Sample:
        said = reading(mppt_fields(truth))
        assert said is not None
        sample = Sample(power_state(said, 0.1, self._rules.battery), said.cause)
        known = Known(
            sample,
            boot_s=(minute - self._boot_at) * 60.0,
            local=FIRST_DAY + timedelta(minutes=minute),
        )
        before = self._mind
        self._mind, actions = think(before, known, self._rules)
        self._changed(minute, before, self._mind)
        self._obey(minute, actions)
        self._people_come(minute)
        return sample

    def _changed(self, minute: int, before: Mind, after: Mind) -> None:
        old, new = before.held.band, after.held.band
        if old is new:
            return
        self._tell(minute, f"{old.value} → {new.value}")
        if list(Band).index(new) < list(Band).index(old):
            self._month.rises.append(minute - self._rose_at)
            self._rose_at = minute
        if new is Band.GUARD:
            self._cut_in_guard = False
        elif old is Band.GUARD and not self._cut_in_guard:
            self._month.returns_before_cut += 1
            self._tell(minute, "el sol volvió antes del corte: atiende otra vez")

    def _obey(self, minute: int, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Arm) and self._wake_is is Wake.RTC_ALARM:
                self._alarm = minute + action.seconds // 60
            if isinstance(action, Halt):
                proof = halting(self._rules.proof, self._rules.wake, f"b{self._boot}")
                self._rules = replace(self._rules, proof=proof)
                self._month.halts += 1
                self._turn(minute, Power.HALTED)
                self._tell(minute, "se apaga: algo lo encenderá")

    def _people_come(self, minute: int) -> None:
        wanted = self._mind.wanted
        hour = minute / 60 % 24
        rate = PEOPLE_PER_HOUR * (7 <= hour < 21) / 60
        for is_on in (wanted is None or wanted.kiosk, wanted is None or wanted.radio):
            if is_on and self._people.random() < rate:
                self._memory.record(minute)
                self._month.facts_by_day[minute // DAY_MIN] += 1

    # --- counting -----------------------------------------------------------------------------

    def _count(self, minute: int, truth: Truth, sample: Sample | None) -> None:
        month, wanted, on = self._month, self._mind.wanted, self._power is Power.ON
        kiosk = on and (wanted is None or wanted.kiosk)
        radio = on and (wanted is None or wanted.radio)
        is_open = OPEN_HOURS.kiosk.is_open(FIRST_DAY + timedelta(minutes=minute))
        month.kiosk_by_day[minute // DAY_MIN] += kiosk * is_open * STEP_MIN / 60
        month.radio_by_day[minute // DAY_MIN] += radio * STEP_MIN / 60
        month.open_h += is_open * STEP_MIN / 60
        can = truth.solar_w >= SUNSHINE_W and truth.load_on and is_open
        self._dark = self._dark + STEP_MIN if can and not kiosk else 0
        month.dark_h = max(month.dark_h, self._dark / 60)
        if self._power is Power.HALTED:
            self._halted_until(minute)
        if minute % KEEP_EVERY_MIN == 0:
            said = sample.power.soc_percent if sample else None
            band = self._mind.held.band if on else None
            load_w = self._drawn() if truth.load_on else 0.0
            month.moments.append(
                Moment(minute, truth.soc_percent, said, band, kiosk, radio, self._power,
                       truth.solar_w, load_w)
            )  # fmt: skip

    def _halted_until(self, minute: int) -> None:
        self._month.halted_h = max(self._month.halted_h, (minute - self._since) / 60)

    def _tell(self, minute: int, what: str) -> None:
        self._month.events.append(Event(minute, what))
