"""The loop that carries facts to the city: asks the protocol, does one thing, writes down the link."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import apsw

from municipio.clock import Instant
from municipio.facts import Lane, format_time
from municipio.usecases.ports import LinkState
from sync.answers import Delivered, Refused, Wanted
from sync.clock_check import ClockCheck
from sync.delivery import Delivery
from sync.ledger import SqliteLedger
from sync.link import LinkFile, LinkNote
from sync.outbox import Stretch
from sync.protocol import Exchange, Pace, Rest, Salute, Send, SendPart
from sync.uploads import File

POLL_S = 0.25
"""How soon a fact that another program has recorded is noticed."""
ASKED_FOR = (Lane.PAY, Lane.REP)
"""The lanes of what people asked for; the others carry acceptances and vitals."""
PRUNE_EVERY_S = 3600.0
DISK_RETRY_S = 2.0

_log = logging.getLogger("plaza.sync.worker")


class Worker:
    """Runs until told to stop. One per node; a second one would only send duplicates."""

    def __init__(
        self,
        ledger: SqliteLedger,
        delivery: Delivery,
        exchange: Exchange,
        link_file: LinkFile,
        seconds: Callable[[], float] = time.monotonic,
        pace: Callable[[], Pace] | None = None,
        clock_check: ClockCheck | None = None,
    ) -> None:
        """`seconds` is the one clock of schedules and waits; a simulated street has its own.

        `pace` is asked at every step where the node's energy changes it. Without `clock_check` the
        worker records nothing itself.
        """
        self._pace = pace
        self._clock_check = clock_check
        self._seconds = seconds
        self._ledger = ledger
        self._delivery = delivery
        self._outbox = delivery.outbox
        self._exchange = exchange
        self._link_file = link_file
        self._stretches: tuple[Stretch, ...] = ()
        self._files: tuple[File, ...] = ()
        before = link_file.begin()
        self._told_before = before.city_time if before else ""
        self._mark: tuple[int, int] | None = None
        self._since: tuple[LinkState, str] = (LinkState.UNKNOWN, "")
        self._written: tuple[float, LinkNote] | None = None
        self._prune_at = 0.0

    def run(self, stop: threading.Event, alive: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set; a request under way is finished first. `alive` at every turn."""
        self._exchange.begin(self._seconds())
        while not stop.is_set():
            alive()
            try:
                rest_s = self.step(self._seconds())
            except (apsw.Error, OSError) as e:
                # A full or failing disk must not end the talk: what can be sent still leaves.
                _log.warning("cannot write: %s; trying again in %.0f s", e, DISK_RETRY_S)
                stop.wait(DISK_RETRY_S)
                continue
            if rest_s > 0:
                stop.wait(min(rest_s, POLL_S))

    def step(self, now: float) -> float:
        """Do the next thing; how many seconds may pass before the next step."""
        if self._pace is not None:
            self._exchange.keep_pace(now, self._pace())
        self._look(force=False)
        action = self._exchange.next(now, self._stretches, self._files)
        if isinstance(action, Rest):
            self._note(now)
            self._prune(now)
            return action.seconds
        if isinstance(action, Salute):
            self._exchange.saluted(now, self._delivery.salute())
        elif isinstance(action, SendPart):
            outcome = self._delivery.send_part(action)
            self._exchange.part_answered(self._seconds(), action, outcome)
            self._files = self._delivery.files()
        else:
            self._carry(action)
        self._note(self._seconds())
        return 0.0

    def _carry(self, send: Send) -> None:
        asked = self._ledger.clock.now()
        outcome = self._delivery.send(send)
        if isinstance(outcome, Delivered) and self._clock_check is not None:
            self._clock_check.heard(asked, outcome.ack, outcome.ack.through + 1 - send.first)
        before = self._exchange.attempts
        follow = self._exchange.answered(self._seconds(), send, outcome)
        wanted = outcome.seq if isinstance(outcome, Wanted) else 0
        self._delivery.follow(follow, send, wanted)
        if self._exchange.attempts != before and isinstance(outcome, Refused):
            self._outbox.set_attempts(self._exchange.attempts)
        if isinstance(outcome, Delivered) or follow.value != "nothing":
            self._look(force=True)

    def _look(self, *, force: bool) -> None:
        """Read the queue again, but only if a program has written."""
        mark = self._outbox.change_mark()
        if force or mark != self._mark:
            self._mark = mark
            self._stretches = self._outbox.stretches()
            self._files = self._delivery.files()

    def _prune(self, now: float) -> None:
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY_S
            self._outbox.prune()
            self._ledger.reserve.fill()
            if self._delivery.uploads is not None:
                self._delivery.uploads.sweep()

    def _note(self, now: float) -> None:
        """Write link.json when it says something new, and at every heartbeat so that it is fresh."""
        at = self._ledger.clock.now()
        note = self._link_note(at)
        if self._written is not None:
            written_at, old = self._written
            is_fresh = now - written_at < self._exchange.pace.heartbeat_s
            if is_fresh and _content(old) == _content(note):
                return
        self._link_file.write(note)
        self._written = (now, note)

    def _link_note(self, at: Instant) -> LinkNote:
        state = self._exchange.link
        if state is not self._since[0]:
            self._since = (state, "" if at.time is None else format_time(at.time))
        return LinkNote(
            state=state,
            waiting=sum(stretch.waiting for stretch in self._stretches),
            last_carried=self._outbox.last_carried(),
            city_time=max(self._delivery.city_time, self._told_before),
            since=self._since[1],
            written_boot_ms=at.boot_ms,
            boot=at.boot,
            trouble=self._exchange.trouble.value if self._exchange.trouble else "",
            detail=self._exchange.detail,
            every_s=self._exchange.pace.heartbeat_s,
            requests=sum(s.waiting for s in self._stretches if s.lane in ASKED_FOR),
        )


def _content(note: LinkNote) -> tuple[object, ...]:
    return (note.state, note.waiting, note.requests, note.last_carried, note.trouble, note.detail)
