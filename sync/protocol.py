"""The talk with the city without any I/O: what to do next, and what an answer means.

The worker asks `Exchange.next`, does that one thing and reports what came of it. Time is a number of
monotonic seconds given by the caller; randomness is given too. Nothing here is judged by wall clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from municipio.energy import Band
from municipio.facts import Lane
from municipio.usecases.ports import LinkState
from municipio.wire.attachment import MAX_PART_BYTES, Progress
from municipio.wire.batch import MAX_FACTS
from sync.answers import Delivered, OtherFuture, Outcome, Refused, TooLarge, Trouble, Wanted
from sync.outbox import Stretch
from sync.uploads import File

MAX_OBEYED_S = 3600.0
"""A Retry-After or next contact beyond an hour is not obeyed: it may be a mistake or a lie."""
MAX_SALUTE_S = 60.0
PATIENT_SALUTES = 12
"""Unanswered heartbeats before they grow apart."""
MIN_PART_BYTES = 4 * 1024
URGENT = frozenset({Lane.PAY, Lane.REP})

Chain = tuple[Lane, int]


@dataclass(frozen=True, slots=True)
class Send:
    """Send facts of a chain from `first` on, at most `limit` of them."""

    lane: Lane
    epoch: int
    first: int
    limit: int


@dataclass(frozen=True, slots=True)
class SendPart:
    """Send a stretch of a sealed file; `first` None asks the city first how much it has."""

    file: File
    first: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class Salute:
    """Ask the city whether it is there (GET /v1/health)."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do for so long, unless a new fact appears."""

    seconds: float


class Follow(StrEnum):
    """What the worker must do in the ledger after an answer."""

    NOTHING = "nothing"
    REWIND = "rewind"
    NEW_EPOCH = "new_epoch"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, from the settings `sync.*`."""

    heartbeat_s: float
    retry_min_s: float
    retry_max_s: float


SLOWER: dict[Band, int] = {Band.FULL: 1, Band.SAVE: 6, Band.RESERVE: 60, Band.GUARD: 1}
"""Times the heartbeat. In guard the queue must go out before the carrier is stopped."""
SLOWEST_S = 600.0


def slowed(pace: Pace, band: Band) -> Pace:
    """Heartbeats as the node's energy allows. What people asked for is sent at once in every band."""
    beat_s = max(pace.heartbeat_s, min(SLOWEST_S, pace.heartbeat_s * SLOWER[band]))
    return replace(pace, heartbeat_s=beat_s)


@dataclass(slots=True)
class _Blocked:
    attempts: int = 0
    until: float = 0.0
    start: int = 0
    """Send from here instead of after the last acknowledgement; 0 for no wish."""


@dataclass(slots=True)
class Exchange:
    """State of the talk. `chance` gives uniform numbers in [0, 1)."""

    pace: Pace
    chance: Callable[[], float]
    attempts: int = 0
    link: LinkState = LinkState.UNKNOWN
    trouble: Trouble | None = None
    detail: str = ""
    _limit: int = MAX_FACTS
    _hold_until: float = 0.0
    _lesser_until: float = 0.0
    _salute_at: float = 0.0
    _unanswered: int = 0
    _chains: dict[Chain, _Blocked] = field(default_factory=dict)
    _files: _Blocked = field(default_factory=_Blocked)
    _part_bytes: int = MAX_PART_BYTES
    _sent: dict[str, int] = field(default_factory=dict)
    """How much of each file the city said that it has."""

    def begin(self, now: float) -> None:
        """After a start: an earlier run's failures still hold batches back, never the first salute."""
        if self.attempts:
            self._hold_until = now + self._jitter(self.attempts)

    def keep_pace(self, now: float, pace: Pace) -> None:
        """From now on this often; a quicker pace also brings the next salute nearer."""
        if pace != self.pace:
            self.pace = pace
            if self.link is not LinkState.OFFLINE:
                self._salute_at = min(self._salute_at, now + pace.heartbeat_s)
            else:
                self._salute_at = min(self._salute_at, now + max(MAX_SALUTE_S, pace.heartbeat_s))

    def next(
        self, now: float, stretches: Sequence[Stretch], files: Sequence[File] = ()
    ) -> Send | SendPart | Salute | Rest:
        """The one thing to do now; most urgent lane first, oldest epoch first, files last."""
        salute_due = now >= self._salute_at
        if self.link is not LinkState.ONLINE:
            return Salute() if salute_due else Rest(self._salute_at - now)
        wakes = [self._salute_at]
        for stretch in stretches:
            if not stretch.waiting:
                continue
            ready = self._ready_at(stretch)
            if ready <= now:
                return self._send(stretch)
            wakes.append(ready)
        if salute_due:
            return Salute()
        if files:
            wakes.append(max(self._hold_until, self._lesser_until, self._files.until))
            if wakes[-1] <= now:
                return SendPart(files[0], self._sent.get(files[0].sha256), self._part_bytes)
        return Rest(max(0.0, min(wakes) - now))

    def saluted(self, now: float, outcome: Refused | None) -> None:
        """A heartbeat was answered (None) or not. The link's return lets the queue go at once."""
        if outcome is None:
            if self.link is LinkState.OFFLINE:
                self._hold_until = 0.0
                self._chains.clear()
                self._files = _Blocked()
            if self.link is not LinkState.ONLINE and self.trouble in _LINK_TROUBLES:
                self.trouble, self.detail = None, ""
            self.link = LinkState.ONLINE
            self._unanswered = 0
            self._salute_at = now + self.pace.heartbeat_s
            return
        self.link = LinkState.OFFLINE
        self.trouble, self.detail = outcome.trouble, outcome.detail
        self._unanswered += 1
        doublings = min(max(0, self._unanswered - PATIENT_SALUTES), 10)
        longest = max(
            self.pace.heartbeat_s, min(MAX_SALUTE_S, self.pace.heartbeat_s * 2**doublings)
        )
        wait = longest * (0.5 + 0.5 * self.chance())
        self._salute_at = now + max(wait, min(outcome.retry_after_s, MAX_OBEYED_S))

    def answered(self, now: float, send: Send, outcome: Outcome) -> Follow:
        """What became of a batch, and what the ledger must do about it."""
        chain = self._chains.setdefault((send.lane, send.epoch), _Blocked())
        if isinstance(outcome, Delivered):
            self._delivered(now, chain, outcome)
        elif isinstance(outcome, TooLarge) and send.limit > 1:
            self._limit = max(1, min(self._limit, send.limit) // 2)
        elif isinstance(outcome, Wanted):
            return self._wanted(now, chain, send, outcome)
        elif isinstance(outcome, OtherFuture):
            self._block(now, chain, Trouble.TAMPERING, outcome.detail)
            return Follow.NEW_EPOCH
        elif isinstance(outcome, TooLarge):
            self._block(now, chain, Trouble.REFUSED, "one fact is too large for the city")
        elif outcome.trouble in _CHAIN_TROUBLES:
            self._block(now, chain, outcome.trouble, outcome.detail)
        else:
            self._refused(now, outcome)
        return Follow.NOTHING

    def part_answered(self, now: float, part: SendPart, outcome: Progress | Refused) -> None:
        """What became of a stretch of a file. A file that makes no headway waits, facts do not."""
        if isinstance(outcome, Refused):
            self._sent.pop(part.file.sha256, None)
            self._part_bytes = max(MIN_PART_BYTES, self._part_bytes // 2)
            if outcome.trouble in _CHAIN_TROUBLES | {Trouble.BAD_ANSWER}:
                self._wait_with_files(now, outcome)
            else:
                self._refused(now, outcome)
            return
        self.link = LinkState.ONLINE
        self._sent[part.file.sha256] = outcome.received
        if outcome.complete:
            del self._sent[part.file.sha256]
        elif part.first is not None and outcome.received <= part.first:
            detail = f"the city does not get on with attachment {part.file.sha256[:12]}"
            self._wait_with_files(now, Refused(Trouble.REFUSED, detail))
            return
        self.attempts = 0
        self.trouble, self.detail = None, ""
        self._files = _Blocked()
        self._part_bytes = min(MAX_PART_BYTES, self._part_bytes * 2)

    # --- inside ---------------------------------------------------------------------------

    def _delivered(self, now: float, chain: _Blocked, outcome: Delivered) -> None:
        self.attempts = 0
        self.trouble, self.detail = None, ""
        self.link = LinkState.ONLINE
        self._limit = min(MAX_FACTS, self._limit * 2)
        chain.attempts, chain.until, chain.start = 0, 0.0, 0
        self._lesser_until = now + min(outcome.ack.next_contact_s, MAX_OBEYED_S)

    def _wanted(self, now: float, chain: _Blocked, send: Send, outcome: Wanted) -> Follow:
        if chain.attempts:
            detail = f"the city wants fact {outcome.seq} again and again"
            self._block(now, chain, Trouble.GAP, detail)
        else:
            chain.attempts = 1
        chain.start = outcome.seq
        return Follow.REWIND if outcome.seq < send.first else Follow.NOTHING

    def _refused(self, now: float, outcome: Refused) -> None:
        self.attempts += 1
        self.trouble, self.detail = outcome.trouble, outcome.detail
        wait = max(self._jitter(self.attempts), min(outcome.retry_after_s, MAX_OBEYED_S))
        self._hold_until = now + wait
        if outcome.trouble is Trouble.TIMEOUT:
            self._limit = max(1, self._limit // 2)
        if outcome.trouble is Trouble.OFFLINE:
            self.link = LinkState.OFFLINE
            self._salute_at = now + self.pace.heartbeat_s * self.chance()

    def _block(self, now: float, chain: _Blocked, trouble: Trouble, detail: str) -> None:
        chain.attempts += 1
        chain.until = now + self._jitter(chain.attempts)
        self.trouble, self.detail = trouble, detail

    def _wait_with_files(self, now: float, outcome: Refused) -> None:
        self._files.attempts += 1
        wait = max(self._jitter(self._files.attempts), min(outcome.retry_after_s, MAX_OBEYED_S))
        self._files.until = now + wait
        self.trouble, self.detail = outcome.trouble, outcome.detail

    def _jitter(self, attempts: int) -> float:
        """Full jitter: anywhere up to a doubling cap, so that a city of nodes never knocks at once."""
        cap = min(self.pace.retry_max_s, self.pace.retry_min_s * 2.0 ** min(attempts - 1, 20))
        return max(0.1, cap * self.chance())

    def _ready_at(self, stretch: Stretch) -> float:
        chain = self._chains.get((stretch.lane, stretch.epoch))
        lesser = 0.0 if stretch.lane in URGENT else self._lesser_until
        return max(self._hold_until, lesser, chain.until if chain else 0.0)

    def _send(self, stretch: Stretch) -> Send:
        chain = self._chains.get((stretch.lane, stretch.epoch))
        first = stretch.acked + 1
        if chain and chain.start > first:
            first = min(chain.start, stretch.last)
        return Send(stretch.lane, stretch.epoch, first, self._limit)


_LINK_TROUBLES = frozenset({Trouble.OFFLINE, Trouble.TIMEOUT, Trouble.BAD_ANSWER})
_CHAIN_TROUBLES = frozenset({Trouble.REFUSED, Trouble.CHAIN, Trouble.GAP, Trouble.NODE})
