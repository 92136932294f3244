"""What each band may spend, as a table, and what must be switched to get there. Pure.

`wanted_now` turns band, hour and guard into one record of switches; `changes` turns two records into
actions in a safe order: people are let out before the lights go, and the queue's carrier stops last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from captive_portal.hours import OpenHours, parse_hours
from municipio.energy import Band


class Radio(StrEnum):
    ALWAYS = "always"
    HOURS = "hours"
    """In `energy.radio_hours`; all day where none are set."""
    SHORT = "short"
    """In those hours, or in `SHORT_HOURS`; for `DUTY_ON_S` of each hour while the hour is not known."""
    OFF = "off"


SHORT_HOURS = ("07:00-10:00", "17:00-20:00")
"""Before school and work, and after them: when a small place's square is full."""
DUTY_ON_S, DUTY_EVERY_S = 1200.0, 3600.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """A row of the table. Percent of full brightness, 0: off; seconds between heartbeats, 0: none."""

    screen_percent: int
    kiosk: bool
    payments: bool
    printing: bool
    portal: bool
    radio: Radio
    heartbeat_factor: int
    """Times `sync.heartbeat_s`, as `sync.protocol.SLOWER` says; 0: the carrier rests too."""
    pull: bool
    updates: bool
    usb: bool


TABLE: dict[Band, Allowed] = {
    Band.FULL: Allowed(100, True, True, True, True, Radio.ALWAYS, 1, True, True, True),
    Band.SAVE: Allowed(40, True, True, True, True, Radio.HOURS, 6, True, True, True),
    Band.RESERVE: Allowed(25, True, False, True, True, Radio.SHORT, 60, False, False, True),
    Band.GUARD: Allowed(0, False, False, False, False, Radio.OFF, 0, False, False, False),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every switch of the node at one moment."""

    kiosk: bool
    portal: bool
    radio: bool
    carrier: bool
    pull: bool
    screen_percent: int
    antennas: bool
    """False takes the power of every transmitter on the board, the uplink's too."""
    usb: bool
    slow_processor: bool


class Service(StrEnum):
    """What can be started and stopped; `plaza.energy_edge` knows the units of each."""

    KIOSK = "kiosk"
    PORTAL = "portal"
    RADIO = "radio"
    CARRIER = "carrier"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Switch:
    service: Service
    on: bool


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness of the screen in percent; 0 takes its signal away."""

    percent: int


@dataclass(frozen=True, slots=True)
class Antennas:
    on: bool


@dataclass(frozen=True, slots=True)
class Usb:
    """The ports that the site says may be without power."""

    on: bool


@dataclass(frozen=True, slots=True)
class Processor:
    slow: bool


@dataclass(frozen=True, slots=True)
class Arm:
    """The board's clock wakes it in so many seconds; it counts only once read back."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Everything written is on the card, then the power is let go."""


Action = Switch | Light | Antennas | Usb | Processor | Arm | Halt


def hours_of(text: str) -> OpenHours:
    """`energy.radio_hours` and `energy.kiosk_hours`. Raises ValueError with the range that cannot be read."""
    return parse_hours([part for part in text.split(";") if part.strip()])


def radio_is_due(rule: Radio, hours: OpenHours, local: datetime | None, boot_s: float) -> bool:
    """Whether the radio is on air now. `local` is None while the hour is not known for sure."""
    if rule in (Radio.ALWAYS, Radio.OFF):
        return rule is Radio.ALWAYS
    if rule is Radio.SHORT and not hours.ranges:
        hours = parse_hours(SHORT_HOURS)
    if local is not None:
        return hours.is_open(local)
    return rule is Radio.HOURS or boot_s % DUTY_EVERY_S < DUTY_ON_S


@dataclass(frozen=True, slots=True)
class Hours:
    """The site's hours on a battery that is not full; none set: always."""

    radio: OpenHours = field(default_factory=OpenHours)
    kiosk: OpenHours = field(default_factory=OpenHours)


def screen_is_due(band: Band, hours: OpenHours, local: datetime | None) -> bool:
    """A full battery shows the screen at all hours, and so does a node that does not know the hour."""
    return band is Band.FULL or local is None or hours.is_open(local)


def wanted_now(
    band: Band, hours: Hours, local: datetime | None, boot_s: float, *, letting_go: bool = False
) -> Wanted:
    """`letting_go`: guard began and the queue is still being sent: only its carrier is left on."""
    row = TABLE[band]
    shows = row.kiosk and screen_is_due(band, hours.kiosk, local)
    return Wanted(
        kiosk=shows,
        portal=row.portal,
        radio=radio_is_due(row.radio, hours.radio, local, boot_s),
        carrier=row.heartbeat_factor > 0 or letting_go,
        pull=row.pull,
        screen_percent=row.screen_percent if shows else 0,
        antennas=band is not Band.GUARD or letting_go,
        usb=row.usb or letting_go,
        slow_processor=band is Band.GUARD and not letting_go,
    )


def changes(before: Wanted | None, after: Wanted) -> tuple[Action, ...]:
    """What to do, in order, to go from `before` (None: nobody knows) to `after`."""
    return tuple(_off(before, after)) + tuple(_on(before, after))


_SERVICES = (Service.RADIO, Service.PORTAL, Service.KIOSK, Service.PULL, Service.CARRIER)
"""The order of switching off; on is the other way round."""


def _off(before: Wanted | None, after: Wanted) -> Iterator[Action]:
    for service in _SERVICES:
        if not _is_on(after, service) and (before is None or _is_on(before, service)):
            yield Switch(service, on=False)
    if after.screen_percent == 0 and (before is None or before.screen_percent):
        yield Light(0)
    if not after.antennas and (before is None or before.antennas):
        yield Antennas(on=False)
    if not after.usb and (before is None or before.usb):
        yield Usb(on=False)
    if after.slow_processor and (before is None or not before.slow_processor):
        yield Processor(slow=True)


def _on(before: Wanted | None, after: Wanted) -> Iterator[Action]:
    if not after.slow_processor and (before is None or before.slow_processor):
        yield Processor(slow=False)
    if after.usb and (before is None or not before.usb):
        yield Usb(on=True)
    if after.antennas and (before is None or not before.antennas):
        yield Antennas(on=True)
    percent = after.screen_percent
    if percent and (before is None or before.screen_percent != percent):
        yield Light(percent)
    for service in reversed(_SERVICES):
        if _is_on(after, service) and (before is None or not _is_on(before, service)):
            yield Switch(service, on=True)


def _is_on(wanted: Wanted, service: Service) -> bool:
    return bool(getattr(wanted, service.value))
