"""Projections beside the requests: a thread that works off what ingest left, chain by chain.

The heads are the queue: a chain waits while `projected` is behind `through`. On PostgreSQL a process
takes the nodes whose books no other has open (an advisory lock), so any number of processes share the
work. A chain whose step fails is tried again later and later; the staff see it, and it stops no other.
While nodes deliver, it works an eighth of the time: what they bring is safe first and counted later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from central.city import City
from central.partitions import prepare_months
from central.projections import project
from central.store import Store

log = logging.getLogger("plaza.central.projector")

QUIET_S = 0.25
"""A node delivered within this time: the books give way."""
REST = 7.0
"""How much longer than it worked the projector then rests, up to a second."""

LOOK_EVERY_S = 1.0
"""How soon work is found that another process left or another program imported."""


class Projector:
    """`start` once, `poke` after every commit, `close` at the end; or `run_once` without a thread."""

    def __init__(self, store: Store, city: City, now: Callable[[], datetime]) -> None:
        self._store = store
        self._city = city
        self._now = now
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._poked_s = float("-inf")
        self._thread: threading.Thread | None = None
        self._month = ""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """There may be work; returns at once."""
        self._poked_s = time.monotonic()
        self._wake.set()

    def run_once(self) -> int:
        """Work off everything that can be; returns how many facts were read."""
        city = self._city
        ended = self._ended.is_set
        return project(self._store, city.inegi, city.zone, self._now(), ended, self._rest)

    def _rest(self, took_s: float) -> None:
        """Leave the machine to the deliveries while they come."""
        if self._thread is not None and time.monotonic() - self._poked_s < QUIET_S:
            self._ended.wait(min(REST * took_s, 1.0))

    def close(self) -> None:
        """Finish the step at hand."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            try:
                self._prepare_month()
                self.run_once()
            except SQLAlchemyError as e:
                # The database is away or busy; what waits is still there at the next look.
                log.error("projections wait: %s", type(e).__name__)

    def _prepare_month(self) -> None:
        """A program that runs for years makes its own months."""
        at = self._now()
        if self._month == at.strftime("%Y-%m"):
            return
        with self._store.begin() as connection:
            prepare_months(connection, at)
        self._month = at.strftime("%Y-%m")
