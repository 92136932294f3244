"""When a fact happened: interval arithmetic over what its node claims and what the city knows. Pure.

All numbers are whole milliseconds; the true time is a UNIX time. Within one boot the monotonic clock ties
every moment to every other, so what is known of one bounds the rest: a fact without a time gets one from
the first synced fact after it. Claims are taken from the strongest to the weakest, and one that leaves
nothing of the interval is not believed: the city's own receipt stands above every claim of a node.
Nothing is ever ordered by what is computed here; order is `seq`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from municipio.clock import TimeQuality

OLDEST_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""No node ever ran before this day (`sync.clock` says the same)."""

RATE_PPM = 500
"""Most that a boot's clock runs fast or slow: Linux disciplines by no more (adjtimex(2), MAXFREQ)."""

DRIFT_PPM = 100
"""Most that a crystal wanders after it was disciplined: twice what makers of such boards promise."""

SYNC_ERROR_MS = 1_000
RTC_ERROR_MS = 10 * 60_000
"""A battery-backed clock of 20 ppm that was set a year ago."""


class Kind(IntEnum):
    """Where a bound comes from, the strongest first."""

    RECEIVED = 0
    """It arrived then, by the city's clock: it happened before."""
    CHECKED = 1
    """The city's own signed time, between two moments of the boot."""
    SYNCED = 2
    RTC = 3
    ORDER = 4
    """A neighbour in the same chain, of another boot, happened before or after."""
    FLOOR = 5


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a fact says of its time, and when it came. `time_ms` is None when it says none."""

    boot: str
    boot_ms: int
    quality: TimeQuality
    time_ms: int | None
    received_ms: int
    check: tuple[int, int, int] | None = None
    """From `node.clock_checked`: when the city was asked and heard (of the boot), and its time."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """At `boot_ms` of a boot the true time was from `low` to `high`; None is not known."""

    kind: Kind
    boot_ms: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    """The true time is in `earliest_ms..latest_ms`. `doubted`: what the fact itself says cannot be true."""

    earliest_ms: int
    latest_ms: int
    doubted: bool = False

    @property
    def middle_ms(self) -> int:
        return (self.earliest_ms + self.latest_ms) // 2

    @property
    def error_ms(self) -> int:
        """The true time is no further than this from the middle."""
        return self.latest_ms - self.middle_ms

    @property
    def moment(self) -> datetime:
        """The corrected time."""
        return as_moment(self.middle_ms)


Clock = tuple[Anchor, ...]
"""What is known of one boot: a few anchors of each kind, in a fixed order."""


def claim(stamp: Stamp) -> Anchor | None:
    """What a fact alone says of its moment; None when it says nothing."""
    if stamp.time_ms is None or stamp.quality is TimeQuality.UNKNOWN:
        return None
    if stamp.quality is TimeQuality.FLOOR:
        return Anchor(Kind.FLOOR, stamp.boot_ms, stamp.time_ms, None)
    if stamp.quality is TimeQuality.RTC:
        kind, error = Kind.RTC, RTC_ERROR_MS
    else:  # synced at some moment of this boot: it cannot have drifted for longer than the boot
        kind, error = Kind.SYNCED, SYNC_ERROR_MS + _share(stamp.boot_ms, DRIFT_PPM)
    return Anchor(kind, stamp.boot_ms, stamp.time_ms - error, stamp.time_ms + error)


def learn(clock: Clock, stamps: Iterable[Stamp]) -> Clock:
    """What is known of a boot after these facts of it. In any order, in any parts, the same."""
    found: list[Anchor] = []
    for stamp in stamps:
        found.append(Anchor(Kind.RECEIVED, stamp.boot_ms, None, stamp.received_ms))
        said = claim(stamp)
        if said is not None:
            found.append(said)
        if stamp.check is not None:
            asked, heard, city = stamp.check
            found.append(Anchor(Kind.CHECKED, asked, None, city))
            found.append(Anchor(Kind.CHECKED, heard, city, None))
    return keep(clock, found)


def keep(clock: Clock, found: Iterable[Anchor]) -> Clock:
    """Of each kind the anchors that bound most: nearest to both ends, the tightest, or both."""
    by_kind: dict[Kind, list[Anchor]] = {}
    for anchor in (*clock, *found):
        by_kind.setdefault(anchor.kind, []).append(anchor)
    kept: list[Anchor] = []
    for kind, anchors in sorted(by_kind.items()):
        lows = [a for a in anchors if a.low is not None]
        highs = [a for a in anchors if a.high is not None]
        ends: set[Anchor] = set()
        for side in (lows, highs) if kind in _AT_BOTH_ENDS else ():
            ends |= {min(side, key=_early), max(side, key=_late)} if side else set()
        if kind is not Kind.SYNCED and kind is not Kind.RTC:
            ends |= {max(lows, key=_highest)} if lows else set()
            ends |= {min(highs, key=_lowest)} if highs else set()
        kept.extend(sorted(ends, key=_early))
    return tuple(kept)


_AT_BOTH_ENDS = (Kind.CHECKED, Kind.SYNCED, Kind.RTC)


def bound(stamp: Stamp, clock: Clock) -> Bound:
    """When this fact happened, by its own words and what its boot's other facts say."""
    low, high = OLDEST_MS, max(OLDEST_MS, stamp.received_ms)
    own = claim(stamp)
    doubted = False
    for anchor in sorted((*clock, *((own,) if own else ())), key=_strength(stamp.boot_ms)):
        new_low, new_high = _at(anchor, stamp.boot_ms)
        new_low = low if new_low is None else max(low, new_low)
        new_high = high if new_high is None else min(high, new_high)
        if new_low > new_high:
            doubted |= anchor == own
            continue
        low, high = new_low, new_high
    return Bound(low, high, doubted)


def narrowed(told: Bound, heard: Bound) -> Bound:
    """What is known with both; where they exclude each other, the later word, which knew more."""
    low = max(told.earliest_ms, heard.earliest_ms)
    high = min(told.latest_ms, heard.latest_ms)
    return Bound(low, high, heard.doubted) if low <= high else heard


def after(neighbour: Bound, boot_ms: int) -> Anchor:
    """A moment of another boot that came later in the chain than the neighbour."""
    return Anchor(Kind.ORDER, boot_ms, neighbour.earliest_ms, None)


def before(neighbour: Bound, boot_ms: int) -> Anchor:
    """A moment of another boot that came earlier in the chain than the neighbour."""
    return Anchor(Kind.ORDER, boot_ms, None, neighbour.latest_ms)


def chain_bounds(stamps: list[Stamp], clocks: dict[str, Clock]) -> dict[str, Clock]:
    """The boots' clocks with what the order of a stretch of one chain adds to them."""
    told = dict(clocks)
    for earlier, later in itertools.pairwise(stamps):
        if earlier.boot != later.boot:
            left = bound(earlier, told[earlier.boot])
            told[later.boot] = keep(told[later.boot], [after(left, later.boot_ms)])
    for earlier, later in reversed(list(itertools.pairwise(stamps))):
        if earlier.boot != later.boot:
            right = bound(later, told[later.boot])
            told[earlier.boot] = keep(told[earlier.boot], [before(right, earlier.boot_ms)])
    return told


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact's moment as the city tells it."""

    stamp: Stamp
    bound: Bound

    @property
    def is_sure(self) -> bool:
        """True when the fact's own time is the answer: synced, and nothing speaks against it."""
        stamp, found = self.stamp, self.bound
        if stamp.quality is not TimeQuality.SYNCED or stamp.time_ms is None or found.doubted:
            return False
        return found.earliest_ms <= stamp.time_ms <= found.latest_ms

    @property
    def moment(self) -> datetime:
        if self.is_sure and self.stamp.time_ms is not None:
            return as_moment(self.stamp.time_ms)
        return self.bound.moment


def is_much_better(old: Clock, new: Clock) -> bool:
    """True when a boot is known so much better that facts told before deserve another look.

    Each look narrows what was told by a tenth or more, so the looks at a boot are few.
    """
    strong = (Kind.CHECKED, Kind.SYNCED)
    if any(a.kind in strong for a in new) and not any(a.kind in strong for a in old):
        return True
    far = Stamp("", 0, TimeQuality.UNKNOWN, None, 2**52)
    return 10 * _width(bound(far, new)) < 9 * _width(bound(far, old))


def as_moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def as_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _width(found: Bound) -> int:
    return found.latest_ms - found.earliest_ms


def _at(anchor: Anchor, boot_ms: int) -> tuple[int | None, int | None]:
    """An anchor carried to another moment of its boot."""
    passed = boot_ms - anchor.boot_ms
    slack = _share(abs(passed), RATE_PPM)
    low = None if anchor.low is None else anchor.low + passed - slack
    high = None if anchor.high is None else anchor.high + passed + slack
    return low, high


def _share(ms: int, ppm: int) -> int:
    """Rounded up, so that no bound is too narrow."""
    return -(-ms * ppm // 1_000_000)


def _strength(boot_ms: int) -> Callable[[Anchor], tuple[int, int, int]]:
    return lambda anchor: (anchor.kind, abs(anchor.boot_ms - boot_ms), anchor.boot_ms)


def _early(anchor: Anchor) -> tuple[int, int, int, bool]:
    none = anchor.low is None
    return anchor.boot_ms, -_or_zero(anchor.low), _or_zero(anchor.high), none


def _late(anchor: Anchor) -> tuple[int, int, int, bool]:
    none = anchor.low is None
    return anchor.boot_ms, _or_zero(anchor.low), -_or_zero(anchor.high), none


def _highest(anchor: Anchor) -> tuple[int, int]:
    return _or_zero(anchor.low) - anchor.boot_ms, anchor.boot_ms


def _lowest(anchor: Anchor) -> tuple[int, int]:
    return _or_zero(anchor.high) - anchor.boot_ms, anchor.boot_ms


def _or_zero(value: int | None) -> int:
    return 0 if value is None else value
